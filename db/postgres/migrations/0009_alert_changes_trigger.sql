-- What drizzle can't say: every change of an alert is noted where the live stream finds it, whoever made it. A transaction that began earlier may end later, so the number of the
-- transaction is kept, and readers wait until all lower ones have ended (db/postgres/queries/alert-changes.ts).
CREATE FUNCTION note_alert_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.alert_changes AS c (alert_id, changed_in, changed_at, alerted_at, superseded_at, final_at)
  VALUES (NEW.alert_id, pg_current_xact_id(), now(), now(), CASE WHEN NEW.state = 'superseded' THEN now() END, CASE WHEN NEW.final THEN now() END)
  ON CONFLICT (alert_id) DO UPDATE SET
    changed_in = excluded.changed_in,
    changed_at = excluded.changed_at,
    superseded_at = CASE WHEN NEW.state = 'superseded' THEN coalesce(c.superseded_at, excluded.superseded_at) END,
    final_at = CASE WHEN NEW.final THEN coalesce(c.final_at, excluded.final_at) END;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER alert_changes AFTER INSERT OR UPDATE ON public.fraud_alerts FOR EACH ROW EXECUTE FUNCTION note_alert_change();
--> statement-breakpoint
INSERT INTO public.alert_changes (alert_id, changed_in, changed_at, superseded_at, final_at)
SELECT alert_id, pg_current_xact_id(), now(), NULL, NULL FROM public.fraud_alerts;
