CREATE TABLE "pipeline_mirror" (
	"task_queue" text PRIMARY KEY NOT NULL,
	"namespace" text NOT NULL,
	"ui_url" text,
	"looked_at" timestamp with time zone NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"mirrored_at" timestamp with time zone,
	"closed_to" timestamp with time zone,
	"left_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "pipeline_runs" (
	"run_id" text PRIMARY KEY NOT NULL,
	"task_queue" text NOT NULL,
	"workflow_id" text NOT NULL,
	"workflow" text NOT NULL,
	"status" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"scheduled_at" timestamp with time zone,
	"schedule_id" text,
	"parent_id" text,
	"parent_run_id" text,
	"memo" jsonb NOT NULL,
	"day" date,
	"failure" text
);
--> statement-breakpoint
CREATE TABLE "pipeline_schedules" (
	"schedule_id" text PRIMARY KEY NOT NULL,
	"task_queue" text NOT NULL,
	"workflow" text NOT NULL,
	"note" text NOT NULL,
	"paused" boolean NOT NULL,
	"next_at" timestamp with time zone,
	"period_ms" bigint,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "pipeline_runs_by_workflow" ON "pipeline_runs" USING btree ("task_queue","workflow","started_at");--> statement-breakpoint
CREATE INDEX "pipeline_runs_open" ON "pipeline_runs" USING btree ("task_queue") WHERE "pipeline_runs"."closed_at" IS NULL;--> statement-breakpoint
CREATE INDEX "pipeline_runs_by_day" ON "pipeline_runs" USING btree ("task_queue","workflow","day") WHERE "pipeline_runs"."status" = 'completed';