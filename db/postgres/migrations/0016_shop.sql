CREATE TABLE "cdc_order_items" (
	"item_id" text PRIMARY KEY NOT NULL,
	"order_id" text,
	"product_id" text,
	"quantity" bigint,
	"price" numeric,
	"extra" jsonb NOT NULL,
	"deleted" boolean NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cdc_orders" (
	"order_id" text PRIMARY KEY NOT NULL,
	"user_id" text,
	"status" text,
	"total" numeric,
	"currency" text,
	"created_at" timestamp with time zone,
	"updated_at" timestamp with time zone,
	"extra" jsonb NOT NULL,
	"deleted" boolean NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cdc_positions" (
	"topic" text NOT NULL,
	"partition" integer NOT NULL,
	"next_offset" bigint NOT NULL,
	CONSTRAINT "cdc_positions_key" PRIMARY KEY("topic","partition")
);
--> statement-breakpoint
CREATE TABLE "cdc_products" (
	"product_id" text PRIMARY KEY NOT NULL,
	"sku" text,
	"name" text,
	"category" text,
	"price" numeric,
	"currency" text,
	"stock" bigint,
	"updated_at" timestamp with time zone,
	"extra" jsonb NOT NULL,
	"deleted" boolean NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "order_status_changes" (
	"order_id" text NOT NULL,
	"status_before" text,
	"status" text,
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "order_status_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"changed_at" timestamp with time zone NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "price_changes" (
	"product_id" text NOT NULL,
	"price_before" numeric,
	"currency_before" text,
	"price" numeric,
	"currency" text,
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "price_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"changed_at" timestamp with time zone NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stock_changes" (
	"product_id" text NOT NULL,
	"stock_before" bigint,
	"stock" bigint,
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "stock_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"changed_at" timestamp with time zone NOT NULL,
	"partition" integer NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "cdc_order_items_by_order" ON "cdc_order_items" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "cdc_orders_by_user" ON "cdc_orders" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "cdc_products_by_stock" ON "cdc_products" USING btree ("stock","product_id") WHERE NOT "cdc_products"."deleted";--> statement-breakpoint
CREATE INDEX "order_status_changes_by_order" ON "order_status_changes" USING btree ("order_id","id");--> statement-breakpoint
CREATE INDEX "price_changes_by_product" ON "price_changes" USING btree ("product_id","id");--> statement-breakpoint
CREATE INDEX "price_changes_by_time" ON "price_changes" USING btree ("changed_at","id") WHERE "price_changes"."price_before" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "stock_changes_by_product" ON "stock_changes" USING btree ("product_id","id");