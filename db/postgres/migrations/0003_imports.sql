CREATE TABLE "imports" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "imports_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"file" text NOT NULL,
	"sha256" text NOT NULL,
	"bytes" bigint NOT NULL,
	"modified_at" timestamp with time zone NOT NULL,
	"mapping" jsonb NOT NULL,
	"mapping_identity" text NOT NULL,
	"currency" text NOT NULL,
	"table_name" text NOT NULL,
	"state" text NOT NULL,
	"rows_read" bigint DEFAULT 0 NOT NULL,
	"rows_imported" bigint DEFAULT 0 NOT NULL,
	"rows_rejected" bigint DEFAULT 0 NOT NULL,
	"message" text,
	"workflow_id" text NOT NULL,
	"run_id" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE INDEX "imports_by_content" ON "imports" USING btree ("sha256","mapping_identity");--> statement-breakpoint
CREATE UNIQUE INDEX "imports_unfinished" ON "imports" USING btree ("sha256","mapping_identity") WHERE "imports"."state" <> 'done';