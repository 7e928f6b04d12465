CREATE TABLE "alert_changes" (
	"alert_id" text PRIMARY KEY NOT NULL,
	"changed_in" "xid8" NOT NULL,
	"changed_at" timestamp with time zone NOT NULL,
	"alerted_at" timestamp with time zone,
	"superseded_at" timestamp with time zone,
	"final_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "alert_review_notes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alert_review_notes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alert_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"by" text NOT NULL,
	"state" text NOT NULL,
	"note" text
);
--> statement-breakpoint
CREATE TABLE "alert_reviews" (
	"alert_id" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"by" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "alert_changes_in_order" ON "alert_changes" USING btree ("changed_in","alert_id");--> statement-breakpoint
CREATE INDEX "alert_review_notes_by_alert" ON "alert_review_notes" USING btree ("alert_id","id");--> statement-breakpoint
CREATE INDEX "alert_reviews_by_state" ON "alert_reviews" USING btree ("state","at");