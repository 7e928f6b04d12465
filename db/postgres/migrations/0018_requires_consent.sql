DROP INDEX "erasures_open";--> statement-breakpoint
ALTER TABLE "write_keys" ADD COLUMN "requires_consent" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "erasures_open" ON "erasures" USING btree ("user_id") WHERE "erasures"."user_id" IS NOT NULL AND "erasures"."log_ends" IS NULL;