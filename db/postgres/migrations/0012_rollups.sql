CREATE TABLE "revenue_by_hour" (
	"window_start" timestamp with time zone NOT NULL,
	"category" text NOT NULL,
	"currency" text NOT NULL,
	"partition" integer NOT NULL,
	"orders" bigint NOT NULL,
	"revenue_minor" bigint NOT NULL,
	"refunds" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"open" bigint NOT NULL,
	CONSTRAINT "revenue_by_hour_key" PRIMARY KEY("window_start","category","currency","partition")
);
--> statement-breakpoint
CREATE TABLE "sessions_by_hour" (
	"window_start" timestamp with time zone NOT NULL,
	"funnel_stage" text NOT NULL,
	"partition" integer NOT NULL,
	"sessions" bigint NOT NULL,
	"converted" bigint NOT NULL,
	CONSTRAINT "sessions_by_hour_key" PRIMARY KEY("window_start","funnel_stage","partition")
);
--> statement-breakpoint
CREATE TABLE "traffic_by_hour" (
	"window_start" timestamp with time zone NOT NULL,
	"event_type" text NOT NULL,
	"partition" integer NOT NULL,
	"events" bigint NOT NULL,
	"open" bigint NOT NULL,
	CONSTRAINT "traffic_by_hour_key" PRIMARY KEY("window_start","event_type","partition")
);
