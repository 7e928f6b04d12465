CREATE TABLE "products_by_week" (
	"topic" text NOT NULL,
	"window_start" timestamp with time zone NOT NULL,
	"product_id" text NOT NULL,
	"currency" text NOT NULL,
	"partition" integer NOT NULL,
	"views" bigint NOT NULL,
	"carts" bigint NOT NULL,
	"purchases" bigint NOT NULL,
	"revenue_minor" bigint NOT NULL,
	CONSTRAINT "products_by_week_key" PRIMARY KEY("window_start","product_id","currency","topic","partition")
);
--> statement-breakpoint
CREATE TABLE "trips_by_day" (
	"window_start" timestamp with time zone NOT NULL,
	"region_id" text NOT NULL,
	"currency" text NOT NULL,
	"partition" integer NOT NULL,
	"trips" bigint NOT NULL,
	"fare_minor" bigint NOT NULL,
	"duration_s" bigint NOT NULL,
	"distance_m" bigint NOT NULL,
	CONSTRAINT "trips_by_day_key" PRIMARY KEY("window_start","region_id","currency","partition")
);
