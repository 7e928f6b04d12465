CREATE TABLE "erasures" (
	"id" uuid PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"user_id" text,
	"subject" jsonb,
	"subject_hash" text NOT NULL,
	"salt" text NOT NULL,
	"requested_at" timestamp with time zone NOT NULL,
	"requested_by" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"records" jsonb NOT NULL,
	"log_ends" jsonb,
	"waits_until" timestamp with time zone,
	"steps" jsonb NOT NULL,
	"completed_at" timestamp with time zone,
	"failure" text
);
--> statement-breakpoint
CREATE UNIQUE INDEX "erasures_open" ON "erasures" USING btree ("user_id") WHERE "erasures"."user_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "erasures_by_age" ON "erasures" USING btree ("requested_at","id");