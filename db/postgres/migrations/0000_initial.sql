CREATE TABLE "checkpoints" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "checkpoints_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"topic" text NOT NULL,
	"partition" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"next_offset" bigint NOT NULL,
	"files" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fraud_alerts" (
	"alert_id" text PRIMARY KEY NOT NULL,
	"rule_id" text NOT NULL,
	"rule_version" integer NOT NULL,
	"user_id" text NOT NULL,
	"state" text NOT NULL,
	"superseded_by" text,
	"supersedes" jsonb NOT NULL,
	"total_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"first_at" timestamp with time zone NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	"triggered_at" timestamp with time zone NOT NULL,
	"watermark" timestamp with time zone NOT NULL,
	"evidence" jsonb NOT NULL,
	"trace_id" text,
	"final" boolean NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "outbox_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"topic" text NOT NULL,
	"key" text,
	"value" "bytea" NOT NULL,
	"headers" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "outcomes_by_minute" (
	"topic" text NOT NULL,
	"job" text NOT NULL,
	"window_start" timestamp with time zone NOT NULL,
	"outcome" text NOT NULL,
	"reason" text NOT NULL,
	"events" bigint NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "outcomes_by_minute_key" PRIMARY KEY("topic","partition","job","window_start","outcome","reason")
);
--> statement-breakpoint
CREATE TABLE "platform" (
	"key" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "products_by_hour" (
	"topic" text NOT NULL,
	"window_start" timestamp with time zone NOT NULL,
	"product_id" text NOT NULL,
	"currency" text NOT NULL,
	"views" bigint NOT NULL,
	"carts" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"revenue_minor" bigint NOT NULL,
	"final" boolean NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "products_by_hour_key" PRIMARY KEY("window_start","product_id","currency","topic","partition")
);
--> statement-breakpoint
CREATE TABLE "revenue_by_minute" (
	"window_start" timestamp with time zone NOT NULL,
	"category" text NOT NULL,
	"currency" text NOT NULL,
	"orders" bigint NOT NULL,
	"revenue_minor" bigint NOT NULL,
	"refunds" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"final" boolean NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "revenue_by_minute_key" PRIMARY KEY("window_start","category","currency","partition")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"session_id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"events" bigint NOT NULL,
	"page_views" bigint NOT NULL,
	"product_views" bigint NOT NULL,
	"carts" bigint NOT NULL,
	"checkouts" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"revenue_minor" jsonb NOT NULL,
	"funnel_stage" text NOT NULL,
	"entry_page" text,
	"exit_page" text,
	"final" boolean NOT NULL,
	"merged_into" text,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"topic" text NOT NULL,
	"partition" integer NOT NULL,
	"epoch" bigint NOT NULL,
	"owner" text NOT NULL,
	"next_offset" bigint DEFAULT 0 NOT NULL,
	"end_offset" bigint DEFAULT 0 NOT NULL,
	"watermark" timestamp with time zone DEFAULT '-infinity' NOT NULL,
	"events" bigint DEFAULT 0 NOT NULL,
	"late" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"dead_letters" bigint DEFAULT 0 NOT NULL,
	"live" boolean DEFAULT false NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tasks_key" PRIMARY KEY("topic","partition")
);
--> statement-breakpoint
CREATE TABLE "traffic_by_minute" (
	"window_start" timestamp with time zone NOT NULL,
	"event_type" text NOT NULL,
	"events" bigint NOT NULL,
	"users" bigint NOT NULL,
	"final" boolean NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "traffic_by_minute_key" PRIMARY KEY("window_start","event_type","partition")
);
--> statement-breakpoint
CREATE TABLE "trips_by_region" (
	"region_id" text NOT NULL,
	"window" text NOT NULL,
	"window_start" timestamp with time zone NOT NULL,
	"currency" text NOT NULL,
	"trips" bigint NOT NULL,
	"fare_minor" bigint NOT NULL,
	"duration_s" bigint NOT NULL,
	"distance_m" bigint NOT NULL,
	"final" boolean NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL,
	CONSTRAINT "trips_by_region_key" PRIMARY KEY("region_id","window","window_start","currency","partition")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"username" text PRIMARY KEY NOT NULL,
	"password_hash" text NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "checkpoints_by_partition" ON "checkpoints" USING btree ("topic","partition","id");--> statement-breakpoint
CREATE INDEX "fraud_alerts_by_time" ON "fraud_alerts" USING btree ("triggered_at","alert_id");--> statement-breakpoint
CREATE INDEX "fraud_alerts_by_user" ON "fraud_alerts" USING btree ("user_id","triggered_at","alert_id");--> statement-breakpoint
CREATE INDEX "outbox_unpublished" ON "outbox" USING btree ("seq") WHERE "outbox"."published_at" IS NULL;--> statement-breakpoint
CREATE INDEX "outbox_by_age" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "outcomes_by_time" ON "outcomes_by_minute" USING btree ("window_start");--> statement-breakpoint
CREATE INDEX "sessions_by_user" ON "sessions" USING btree ("user_id","started_at","session_id");--> statement-breakpoint
CREATE INDEX "sessions_by_start" ON "sessions" USING btree ("started_at");--> statement-breakpoint
CREATE INDEX "sessions_by_end" ON "sessions" USING brin ("ended_at");--> statement-breakpoint
CREATE INDEX "trips_by_window" ON "trips_by_region" USING btree ("window","window_start");