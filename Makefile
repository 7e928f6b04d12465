# Short ways to what npm, streamforge and Docker Compose do. Every target says what it is for: `make help`.
.DEFAULT_GOAL := help
STREAMFORGE := node cli/streamforge.mjs
COMPOSE := docker compose
ALL := $(COMPOSE) --profile '*'
FULL := $(COMPOSE) --env-file .env --env-file deploy/compose/full.env --profile full

.PHONY: help start cluster test test-unit check format bench status doctor env image up up-full down up-cdc up-shop down-and-forget ps logs migrate topics token login-link compose-lint helm-lint terraform-lint

help: ## what there is
	@awk -F ':.*## ' '/^## /{printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## On this machine, without containers
start: ## the whole platform in one process, with a simulator; Ctrl-C stops
	npm start
cluster: ## the same on Kafka, Redis and PostgreSQL, a process for each role
	npm start -- --cluster
status: ## where each part listens, and how it is
	$(STREAMFORGE) status
doctor: ## sends one event through every part; the remedy where one fails
	$(STREAMFORGE) doctor

## Development
test: ## everything, as CI runs it
	npm test
test-unit: ## what needs no server, under a minute
	npm run test:unit
check: ## types, format, lint, import rules
	npm run check
format: ## puts right what a program can
	npm run format
bench: ## a figure of bench/README.md: make bench NAME=ingest
	npm run bench -- $(NAME)

## In containers
env: ## makes .env with random secrets, once
	node deploy/compose/make-env.mjs
image: ## builds the image of all roles
	$(COMPOSE) --profile core build
up: ## the platform (profile core)
	$(COMPOSE) --profile core up --detach
up-full: ## and what one looks at it with (profile full)
	$(FULL) up --detach
up-cdc: ## the platform and the source that follows the database of CDC_SOURCE_URL in .env (profile cdc)
	$(COMPOSE) --profile core --profile cdc up --detach
up-shop: ## the same with the demo shop, which .env names until you name another (profile shop)
	$(COMPOSE) --profile core --profile cdc --profile shop up --detach
ps: ## which containers run, and how they are
	$(ALL) ps --all
logs: ## follows the logs: make logs SERVICE=streams
	$(ALL) logs --follow --tail 100 $(SERVICE)
migrate: ## brings the database to the version of the image
	$(COMPOSE) --profile core run --rm migrate
topics: ## makes the topics that Kafka lacks
	$(COMPOSE) --profile core run --rm topics
token: ## an access token of the edge, for reading
	$(COMPOSE) exec edge node cli/streamforge.mjs token
login-link: ## a link to the dashboard that signs in once
	$(COMPOSE) exec edge node cli/streamforge.mjs login-link
down: ## stops all; the data stays
	$(ALL) down
down-and-forget: ## stops all and removes the data
	$(ALL) down --volumes

## Deployment files
compose-lint: ## docker-compose.yml, by Compose itself
	$(FULL) --profile cdc --profile shop config --quiet
helm-lint: ## the Helm chart, by Helm itself, with each environment's values
	npx vitest run --project system tests/helm
terraform-lint: ## Terraform's files, by a parser of its language
	npx vitest run --project system tests/terraform
