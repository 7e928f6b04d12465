-- What drizzle can't say: hours are kept as the sums of their rows by what changes the rows, in the same transaction. A statement's changes are added up first, and what comes to nothing
-- (a session that goes on) is not written. Keys are taken in order, as the flushes take theirs.
CREATE FUNCTION roll_up_traffic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO public.traffic_by_hour AS h (window_start, event_type, partition, events, open)
    SELECT window_start, event_type, partition, sum(events)::bigint, sum(open)::bigint FROM (SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, event_type, partition, (events) AS events, ((NOT final)::int) AS open FROM new_rows) AS changes GROUP BY window_start, event_type, partition HAVING sum(events) <> 0 OR sum(open) <> 0 ORDER BY window_start, event_type, partition
    ON CONFLICT (window_start, event_type, partition) DO UPDATE SET events = h.events + excluded.events, open = h.open + excluded.open;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO public.traffic_by_hour AS h (window_start, event_type, partition, events, open)
    SELECT window_start, event_type, partition, sum(events)::bigint, sum(open)::bigint FROM (SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, event_type, partition, (events) AS events, ((NOT final)::int) AS open FROM new_rows
      UNION ALL SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, event_type, partition, -(events) AS events, -((NOT final)::int) AS open FROM old_rows) AS changes GROUP BY window_start, event_type, partition HAVING sum(events) <> 0 OR sum(open) <> 0 ORDER BY window_start, event_type, partition
    ON CONFLICT (window_start, event_type, partition) DO UPDATE SET events = h.events + excluded.events, open = h.open + excluded.open;
  ELSE
    INSERT INTO public.traffic_by_hour AS h (window_start, event_type, partition, events, open)
    SELECT window_start, event_type, partition, sum(events)::bigint, sum(open)::bigint FROM (SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, event_type, partition, -(events) AS events, -((NOT final)::int) AS open FROM old_rows) AS changes GROUP BY window_start, event_type, partition HAVING sum(events) <> 0 OR sum(open) <> 0 ORDER BY window_start, event_type, partition
    ON CONFLICT (window_start, event_type, partition) DO UPDATE SET events = h.events + excluded.events, open = h.open + excluded.open;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER traffic_by_hour_insert AFTER INSERT ON public.traffic_by_minute REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_traffic();
--> statement-breakpoint
CREATE TRIGGER traffic_by_hour_update AFTER UPDATE ON public.traffic_by_minute REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_traffic();
--> statement-breakpoint
CREATE TRIGGER traffic_by_hour_delete AFTER DELETE ON public.traffic_by_minute REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_traffic();
--> statement-breakpoint
INSERT INTO public.traffic_by_hour (window_start, event_type, partition, events, open)
SELECT date_bin('1 hour', window_start, 'epoch'), event_type, partition, sum(events)::bigint, sum((NOT final)::int)::bigint FROM public.traffic_by_minute GROUP BY 1, 2, 3;
--> statement-breakpoint
CREATE FUNCTION roll_up_revenue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO public.revenue_by_hour AS h (window_start, category, currency, partition, orders, revenue_minor, refunds, refunded_minor, open)
    SELECT window_start, category, currency, partition, sum(orders)::bigint, sum(revenue_minor)::bigint, sum(refunds)::bigint, sum(refunded_minor)::bigint, sum(open)::bigint FROM (SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, category, currency, partition, (orders) AS orders, (revenue_minor) AS revenue_minor, (refunds) AS refunds, (refunded_minor) AS refunded_minor, ((NOT final)::int) AS open FROM new_rows) AS changes GROUP BY window_start, category, currency, partition HAVING sum(orders) <> 0 OR sum(revenue_minor) <> 0 OR sum(refunds) <> 0 OR sum(refunded_minor) <> 0 OR sum(open) <> 0 ORDER BY window_start, category, currency, partition
    ON CONFLICT (window_start, category, currency, partition) DO UPDATE SET orders = h.orders + excluded.orders, revenue_minor = h.revenue_minor + excluded.revenue_minor, refunds = h.refunds + excluded.refunds, refunded_minor = h.refunded_minor + excluded.refunded_minor, open = h.open + excluded.open;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO public.revenue_by_hour AS h (window_start, category, currency, partition, orders, revenue_minor, refunds, refunded_minor, open)
    SELECT window_start, category, currency, partition, sum(orders)::bigint, sum(revenue_minor)::bigint, sum(refunds)::bigint, sum(refunded_minor)::bigint, sum(open)::bigint FROM (SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, category, currency, partition, (orders) AS orders, (revenue_minor) AS revenue_minor, (refunds) AS refunds, (refunded_minor) AS refunded_minor, ((NOT final)::int) AS open FROM new_rows
      UNION ALL SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, category, currency, partition, -(orders) AS orders, -(revenue_minor) AS revenue_minor, -(refunds) AS refunds, -(refunded_minor) AS refunded_minor, -((NOT final)::int) AS open FROM old_rows) AS changes GROUP BY window_start, category, currency, partition HAVING sum(orders) <> 0 OR sum(revenue_minor) <> 0 OR sum(refunds) <> 0 OR sum(refunded_minor) <> 0 OR sum(open) <> 0 ORDER BY window_start, category, currency, partition
    ON CONFLICT (window_start, category, currency, partition) DO UPDATE SET orders = h.orders + excluded.orders, revenue_minor = h.revenue_minor + excluded.revenue_minor, refunds = h.refunds + excluded.refunds, refunded_minor = h.refunded_minor + excluded.refunded_minor, open = h.open + excluded.open;
  ELSE
    INSERT INTO public.revenue_by_hour AS h (window_start, category, currency, partition, orders, revenue_minor, refunds, refunded_minor, open)
    SELECT window_start, category, currency, partition, sum(orders)::bigint, sum(revenue_minor)::bigint, sum(refunds)::bigint, sum(refunded_minor)::bigint, sum(open)::bigint FROM (SELECT date_bin('1 hour', window_start, 'epoch') AS window_start, category, currency, partition, -(orders) AS orders, -(revenue_minor) AS revenue_minor, -(refunds) AS refunds, -(refunded_minor) AS refunded_minor, -((NOT final)::int) AS open FROM old_rows) AS changes GROUP BY window_start, category, currency, partition HAVING sum(orders) <> 0 OR sum(revenue_minor) <> 0 OR sum(refunds) <> 0 OR sum(refunded_minor) <> 0 OR sum(open) <> 0 ORDER BY window_start, category, currency, partition
    ON CONFLICT (window_start, category, currency, partition) DO UPDATE SET orders = h.orders + excluded.orders, revenue_minor = h.revenue_minor + excluded.revenue_minor, refunds = h.refunds + excluded.refunds, refunded_minor = h.refunded_minor + excluded.refunded_minor, open = h.open + excluded.open;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER revenue_by_hour_insert AFTER INSERT ON public.revenue_by_minute REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_revenue();
--> statement-breakpoint
CREATE TRIGGER revenue_by_hour_update AFTER UPDATE ON public.revenue_by_minute REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_revenue();
--> statement-breakpoint
CREATE TRIGGER revenue_by_hour_delete AFTER DELETE ON public.revenue_by_minute REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_revenue();
--> statement-breakpoint
INSERT INTO public.revenue_by_hour (window_start, category, currency, partition, orders, revenue_minor, refunds, refunded_minor, open)
SELECT date_bin('1 hour', window_start, 'epoch'), category, currency, partition, sum(orders)::bigint, sum(revenue_minor)::bigint, sum(refunds)::bigint, sum(refunded_minor)::bigint, sum((NOT final)::int)::bigint FROM public.revenue_by_minute GROUP BY 1, 2, 3, 4;
--> statement-breakpoint
CREATE FUNCTION roll_up_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO public.sessions_by_hour AS h (window_start, funnel_stage, partition, sessions, converted)
    SELECT window_start, funnel_stage, partition, sum(sessions)::bigint, sum(converted)::bigint FROM (SELECT date_bin('1 hour', started_at, 'epoch') AS window_start, funnel_stage, partition, (1) AS sessions, ((purchases > 0)::int) AS converted FROM new_rows WHERE merged_into IS NULL) AS changes GROUP BY window_start, funnel_stage, partition HAVING sum(sessions) <> 0 OR sum(converted) <> 0 ORDER BY window_start, funnel_stage, partition
    ON CONFLICT (window_start, funnel_stage, partition) DO UPDATE SET sessions = h.sessions + excluded.sessions, converted = h.converted + excluded.converted;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO public.sessions_by_hour AS h (window_start, funnel_stage, partition, sessions, converted)
    SELECT window_start, funnel_stage, partition, sum(sessions)::bigint, sum(converted)::bigint FROM (SELECT date_bin('1 hour', started_at, 'epoch') AS window_start, funnel_stage, partition, (1) AS sessions, ((purchases > 0)::int) AS converted FROM new_rows WHERE merged_into IS NULL
      UNION ALL SELECT date_bin('1 hour', started_at, 'epoch') AS window_start, funnel_stage, partition, -(1) AS sessions, -((purchases > 0)::int) AS converted FROM old_rows WHERE merged_into IS NULL) AS changes GROUP BY window_start, funnel_stage, partition HAVING sum(sessions) <> 0 OR sum(converted) <> 0 ORDER BY window_start, funnel_stage, partition
    ON CONFLICT (window_start, funnel_stage, partition) DO UPDATE SET sessions = h.sessions + excluded.sessions, converted = h.converted + excluded.converted;
  ELSE
    INSERT INTO public.sessions_by_hour AS h (window_start, funnel_stage, partition, sessions, converted)
    SELECT window_start, funnel_stage, partition, sum(sessions)::bigint, sum(converted)::bigint FROM (SELECT date_bin('1 hour', started_at, 'epoch') AS window_start, funnel_stage, partition, -(1) AS sessions, -((purchases > 0)::int) AS converted FROM old_rows WHERE merged_into IS NULL) AS changes GROUP BY window_start, funnel_stage, partition HAVING sum(sessions) <> 0 OR sum(converted) <> 0 ORDER BY window_start, funnel_stage, partition
    ON CONFLICT (window_start, funnel_stage, partition) DO UPDATE SET sessions = h.sessions + excluded.sessions, converted = h.converted + excluded.converted;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_by_hour_insert AFTER INSERT ON public.sessions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_sessions();
--> statement-breakpoint
CREATE TRIGGER sessions_by_hour_update AFTER UPDATE ON public.sessions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_sessions();
--> statement-breakpoint
CREATE TRIGGER sessions_by_hour_delete AFTER DELETE ON public.sessions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_sessions();
--> statement-breakpoint
INSERT INTO public.sessions_by_hour (window_start, funnel_stage, partition, sessions, converted)
SELECT date_bin('1 hour', started_at, 'epoch'), funnel_stage, partition, sum(1)::bigint, sum((purchases > 0)::int)::bigint FROM public.sessions WHERE merged_into IS NULL GROUP BY 1, 2, 3;
