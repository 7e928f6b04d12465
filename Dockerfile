# One image for every role: `docker run IMAGE edge`, `streams`, `lake-writer`, `worker`, `cdc start`; and for jobs that end: `topics`, `migrate`. All settings are environment variables.
# It is for the cluster form: the embedded one, which brings a PostgreSQL of its own, is `npm start`.
# The base is pinned by version; whoever needs builds that can be repeated to the byte pins its digest: --build-arg NODE=24.21.0-bookworm-slim@sha256:…
ARG NODE=24.21.0-bookworm-slim

FROM node:${NODE} AS dependencies
WORKDIR /app
# What npm reads, and nothing else: this layer is made anew only when a dependency changes.
COPY package.json package-lock.json .npmrc ./
COPY db/postgres/patches db/postgres/patches
COPY deploy/image/prune.mjs deploy/image/prune.mjs
RUN npm ci --omit=dev --loglevel=error && node deploy/image/prune.mjs node_modules

FROM node:${NODE}
ENV NODE_ENV=production \
    STREAMFORGE_HOST=0.0.0.0 \
    STREAMFORGE_PORT=8080 \
    STREAMFORGE_METRICS_PORT=9464 \
    STREAMFORGE_DATA_DIR=/data
WORKDIR /app
# The program belongs to root and runs as somebody else, who may write /data and /tmp only: the root folder can be mounted read-only.
RUN install -d -o 1000 -g 1000 -m 0700 /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json package-lock.json LICENSE ./
COPY cli cli
COPY db db
COPY edge edge
COPY observability observability
COPY streams streams
COPY workflows workflows
COPY deploy/image/health.mjs deploy/image/health.mjs
USER 1000:1000
VOLUME /data
EXPOSE 8080 9464
# The process handles signals itself and leaves no children behind, so it needs no init: SIGTERM drains, commits and hands its partitions back.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["node", "deploy/image/health.mjs"]
ENTRYPOINT ["node", "cli/streamforge.mjs"]
CMD ["--help"]
