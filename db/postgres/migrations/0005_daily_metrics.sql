CREATE TABLE "batch_days" (
	"day" date PRIMARY KEY NOT NULL,
	"counts" jsonb NOT NULL,
	"sequences" jsonb NOT NULL,
	"stale" text,
	"built_at" timestamp with time zone NOT NULL,
	"workflow_run_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "daily_conversion_funnel" (
	"day" date NOT NULL,
	"position" integer NOT NULL,
	"stage" text NOT NULL,
	"sessions" bigint NOT NULL,
	"users" bigint NOT NULL,
	"rate_of_visits" double precision NOT NULL,
	"rate_of_previous" double precision,
	CONSTRAINT "daily_conversion_funnel_key" PRIMARY KEY("day","position")
);
--> statement-breakpoint
CREATE TABLE "daily_kpis" (
	"day" date PRIMARY KEY NOT NULL,
	"events" bigint NOT NULL,
	"page_views" bigint NOT NULL,
	"users" bigint NOT NULL,
	"sessions" bigint NOT NULL,
	"converted_sessions" bigint NOT NULL,
	"conversion_rate" double precision,
	"orders" bigint NOT NULL,
	"failed_orders" bigint NOT NULL,
	"refunds" bigint NOT NULL,
	"customers" bigint NOT NULL,
	"trips" bigint NOT NULL,
	"revenue" jsonb NOT NULL,
	"published_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "daily_revenue_by_category" (
	"day" date NOT NULL,
	"category" text NOT NULL,
	"currency" text NOT NULL,
	"orders" bigint NOT NULL,
	"refunds" bigint NOT NULL,
	"gross_minor" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"net_minor" bigint NOT NULL,
	CONSTRAINT "daily_revenue_by_category_key" PRIMARY KEY("day","category","currency")
);
--> statement-breakpoint
CREATE TABLE "daily_top_regions" (
	"day" date NOT NULL,
	"place" integer NOT NULL,
	"region" text NOT NULL,
	"currency" text NOT NULL,
	"trips" bigint NOT NULL,
	"fare_minor" bigint NOT NULL,
	"duration_s" bigint NOT NULL,
	"distance_m" bigint NOT NULL,
	"orders" bigint NOT NULL,
	"gross_minor" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"net_minor" bigint NOT NULL,
	CONSTRAINT "daily_top_regions_key" PRIMARY KEY("day","region","currency")
);
