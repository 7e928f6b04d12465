CREATE TABLE "reconciliation_differences" (
	"reconciliation_id" text NOT NULL,
	"ordinal" integer NOT NULL,
	"explained" boolean NOT NULL,
	"table_name" text NOT NULL,
	"cause" text NOT NULL,
	"key" jsonb NOT NULL,
	"message" text NOT NULL,
	"records" bigint NOT NULL,
	"minor" jsonb NOT NULL,
	"live" jsonb,
	"expected" jsonb,
	"sample" jsonb NOT NULL,
	CONSTRAINT "reconciliation_differences_key" PRIMARY KEY("reconciliation_id","ordinal")
);
--> statement-breakpoint
CREATE TABLE "reconciliations" (
	"id" text PRIMARY KEY NOT NULL,
	"from_at" timestamp with time zone NOT NULL,
	"to_at" timestamp with time zone NOT NULL,
	"outcome" text NOT NULL,
	"message" text NOT NULL,
	"compared" jsonb NOT NULL,
	"explained" jsonb NOT NULL,
	"unexplained" bigint NOT NULL,
	"unexplained_minor" jsonb NOT NULL,
	"open_partitions" jsonb NOT NULL,
	"records" bigint NOT NULL,
	"workflow_id" text NOT NULL,
	"workflow_run_id" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "replays" (
	"id" text PRIMARY KEY NOT NULL,
	"job" text NOT NULL,
	"from_at" timestamp with time zone NOT NULL,
	"to_at" timestamp with time zone NOT NULL,
	"rule" jsonb,
	"schema_name" text NOT NULL,
	"state" text NOT NULL,
	"compared" jsonb NOT NULL,
	"replaced" jsonb,
	"workflow_id" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "reconciliation_differences" ADD CONSTRAINT "reconciliation_differences_reconciliation_id_reconciliations_id_fk" FOREIGN KEY ("reconciliation_id") REFERENCES "public"."reconciliations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "reconciliations_by_age" ON "reconciliations" USING btree ("finished_at","id");--> statement-breakpoint
CREATE INDEX "reconciliations_by_range" ON "reconciliations" USING btree ("from_at");--> statement-breakpoint
CREATE INDEX "replays_by_age" ON "replays" USING btree ("created_at");