-- What drizzle can't say: days of trips and weeks of products are kept as the hours are (0013). They are rewritten at every flush, hence the room in their pages.
ALTER TABLE public.products_by_week SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
ALTER TABLE public.trips_by_day SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
CREATE FUNCTION roll_up_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO public.products_by_week AS r (window_start, product_id, currency, topic, partition, views, carts, purchases, revenue_minor)
    SELECT window_start, product_id, currency, topic, partition, sum(views)::bigint, sum(carts)::bigint, sum(purchases)::bigint, sum(revenue_minor)::bigint
    FROM (SELECT date_bin('7 days', window_start, 'epoch') AS window_start, product_id, currency, topic, partition, views, carts, purchases, revenue_minor FROM new_rows) AS changes
    GROUP BY window_start, product_id, currency, topic, partition
    HAVING sum(views) <> 0 OR sum(carts) <> 0 OR sum(purchases) <> 0 OR sum(revenue_minor) <> 0
    ORDER BY window_start, product_id, currency, topic, partition
    ON CONFLICT (window_start, product_id, currency, topic, partition) DO UPDATE SET views = r.views + excluded.views, carts = r.carts + excluded.carts, purchases = r.purchases + excluded.purchases, revenue_minor = r.revenue_minor + excluded.revenue_minor;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO public.products_by_week AS r (window_start, product_id, currency, topic, partition, views, carts, purchases, revenue_minor)
    SELECT window_start, product_id, currency, topic, partition, sum(views)::bigint, sum(carts)::bigint, sum(purchases)::bigint, sum(revenue_minor)::bigint
    FROM (SELECT date_bin('7 days', window_start, 'epoch') AS window_start, product_id, currency, topic, partition, views, carts, purchases, revenue_minor FROM new_rows
      UNION ALL SELECT date_bin('7 days', window_start, 'epoch') AS window_start, product_id, currency, topic, partition, -views AS views, -carts AS carts, -purchases AS purchases, -revenue_minor AS revenue_minor FROM old_rows) AS changes
    GROUP BY window_start, product_id, currency, topic, partition
    HAVING sum(views) <> 0 OR sum(carts) <> 0 OR sum(purchases) <> 0 OR sum(revenue_minor) <> 0
    ORDER BY window_start, product_id, currency, topic, partition
    ON CONFLICT (window_start, product_id, currency, topic, partition) DO UPDATE SET views = r.views + excluded.views, carts = r.carts + excluded.carts, purchases = r.purchases + excluded.purchases, revenue_minor = r.revenue_minor + excluded.revenue_minor;
  ELSE
    INSERT INTO public.products_by_week AS r (window_start, product_id, currency, topic, partition, views, carts, purchases, revenue_minor)
    SELECT window_start, product_id, currency, topic, partition, sum(views)::bigint, sum(carts)::bigint, sum(purchases)::bigint, sum(revenue_minor)::bigint
    FROM (SELECT date_bin('7 days', window_start, 'epoch') AS window_start, product_id, currency, topic, partition, -views AS views, -carts AS carts, -purchases AS purchases, -revenue_minor AS revenue_minor FROM old_rows) AS changes
    GROUP BY window_start, product_id, currency, topic, partition
    HAVING sum(views) <> 0 OR sum(carts) <> 0 OR sum(purchases) <> 0 OR sum(revenue_minor) <> 0
    ORDER BY window_start, product_id, currency, topic, partition
    ON CONFLICT (window_start, product_id, currency, topic, partition) DO UPDATE SET views = r.views + excluded.views, carts = r.carts + excluded.carts, purchases = r.purchases + excluded.purchases, revenue_minor = r.revenue_minor + excluded.revenue_minor;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER products_by_week_insert AFTER INSERT ON public.products_by_hour REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_products();
--> statement-breakpoint
CREATE TRIGGER products_by_week_update AFTER UPDATE ON public.products_by_hour REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_products();
--> statement-breakpoint
CREATE TRIGGER products_by_week_delete AFTER DELETE ON public.products_by_hour REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_products();
--> statement-breakpoint
INSERT INTO public.products_by_week (window_start, product_id, currency, topic, partition, views, carts, purchases, revenue_minor)
SELECT date_bin('7 days', window_start, 'epoch'), product_id, currency, topic, partition, sum(views)::bigint, sum(carts)::bigint, sum(purchases)::bigint, sum(revenue_minor)::bigint
FROM public.products_by_hour GROUP BY 1, 2, 3, 4, 5;
--> statement-breakpoint
CREATE FUNCTION roll_up_trips() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO public.trips_by_day AS r (window_start, region_id, currency, partition, trips, fare_minor, duration_s, distance_m)
    SELECT window_start, region_id, currency, partition, sum(trips)::bigint, sum(fare_minor)::bigint, sum(duration_s)::bigint, sum(distance_m)::bigint
    FROM (SELECT date_bin('1 day', window_start, 'epoch') AS window_start, region_id, currency, partition, trips, fare_minor, duration_s, distance_m FROM new_rows WHERE "window" = '1h') AS changes
    GROUP BY window_start, region_id, currency, partition
    HAVING sum(trips) <> 0 OR sum(fare_minor) <> 0 OR sum(duration_s) <> 0 OR sum(distance_m) <> 0
    ORDER BY window_start, region_id, currency, partition
    ON CONFLICT (window_start, region_id, currency, partition) DO UPDATE SET trips = r.trips + excluded.trips, fare_minor = r.fare_minor + excluded.fare_minor, duration_s = r.duration_s + excluded.duration_s, distance_m = r.distance_m + excluded.distance_m;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO public.trips_by_day AS r (window_start, region_id, currency, partition, trips, fare_minor, duration_s, distance_m)
    SELECT window_start, region_id, currency, partition, sum(trips)::bigint, sum(fare_minor)::bigint, sum(duration_s)::bigint, sum(distance_m)::bigint
    FROM (SELECT date_bin('1 day', window_start, 'epoch') AS window_start, region_id, currency, partition, trips, fare_minor, duration_s, distance_m FROM new_rows WHERE "window" = '1h'
      UNION ALL SELECT date_bin('1 day', window_start, 'epoch') AS window_start, region_id, currency, partition, -trips AS trips, -fare_minor AS fare_minor, -duration_s AS duration_s, -distance_m AS distance_m FROM old_rows WHERE "window" = '1h') AS changes
    GROUP BY window_start, region_id, currency, partition
    HAVING sum(trips) <> 0 OR sum(fare_minor) <> 0 OR sum(duration_s) <> 0 OR sum(distance_m) <> 0
    ORDER BY window_start, region_id, currency, partition
    ON CONFLICT (window_start, region_id, currency, partition) DO UPDATE SET trips = r.trips + excluded.trips, fare_minor = r.fare_minor + excluded.fare_minor, duration_s = r.duration_s + excluded.duration_s, distance_m = r.distance_m + excluded.distance_m;
  ELSE
    INSERT INTO public.trips_by_day AS r (window_start, region_id, currency, partition, trips, fare_minor, duration_s, distance_m)
    SELECT window_start, region_id, currency, partition, sum(trips)::bigint, sum(fare_minor)::bigint, sum(duration_s)::bigint, sum(distance_m)::bigint
    FROM (SELECT date_bin('1 day', window_start, 'epoch') AS window_start, region_id, currency, partition, -trips AS trips, -fare_minor AS fare_minor, -duration_s AS duration_s, -distance_m AS distance_m FROM old_rows WHERE "window" = '1h') AS changes
    GROUP BY window_start, region_id, currency, partition
    HAVING sum(trips) <> 0 OR sum(fare_minor) <> 0 OR sum(duration_s) <> 0 OR sum(distance_m) <> 0
    ORDER BY window_start, region_id, currency, partition
    ON CONFLICT (window_start, region_id, currency, partition) DO UPDATE SET trips = r.trips + excluded.trips, fare_minor = r.fare_minor + excluded.fare_minor, duration_s = r.duration_s + excluded.duration_s, distance_m = r.distance_m + excluded.distance_m;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER trips_by_day_insert AFTER INSERT ON public.trips_by_region REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_trips();
--> statement-breakpoint
CREATE TRIGGER trips_by_day_update AFTER UPDATE ON public.trips_by_region REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_trips();
--> statement-breakpoint
CREATE TRIGGER trips_by_day_delete AFTER DELETE ON public.trips_by_region REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_trips();
--> statement-breakpoint
INSERT INTO public.trips_by_day (window_start, region_id, currency, partition, trips, fare_minor, duration_s, distance_m)
SELECT date_bin('1 day', window_start, 'epoch'), region_id, currency, partition, sum(trips)::bigint, sum(fare_minor)::bigint, sum(duration_s)::bigint, sum(distance_m)::bigint
FROM public.trips_by_region WHERE "window" = '1h' GROUP BY 1, 2, 3, 4;
