CREATE TABLE "quality_results" (
	"run_id" text NOT NULL,
	"ordinal" integer NOT NULL,
	"check_name" text NOT NULL,
	"table_name" text NOT NULL,
	"kind" text NOT NULL,
	"severity" text NOT NULL,
	"outcome" text NOT NULL,
	"observed" jsonb,
	"expected" text NOT NULL,
	"reason" text NOT NULL,
	"sample" jsonb NOT NULL,
	"duration_ms" bigint NOT NULL,
	CONSTRAINT "quality_results_key" PRIMARY KEY("run_id","ordinal")
);
--> statement-breakpoint
CREATE TABLE "quality_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"day" date NOT NULL,
	"stage" text NOT NULL,
	"outcome" text NOT NULL,
	"passed" integer NOT NULL,
	"warned" integer NOT NULL,
	"failed" integer NOT NULL,
	"skipped" integer NOT NULL,
	"engine" text NOT NULL,
	"workflow_id" text NOT NULL,
	"workflow_run_id" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "quality_results" ADD CONSTRAINT "quality_results_run_id_quality_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."quality_runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "quality_results_by_check" ON "quality_results" USING btree ("check_name","run_id");--> statement-breakpoint
CREATE INDEX "quality_runs_by_day" ON "quality_runs" USING btree ("day","stage","finished_at","id");--> statement-breakpoint
CREATE INDEX "quality_runs_by_age" ON "quality_runs" USING btree ("finished_at");