-- The shop's database: two years of stock movements, and the prices. A throw-away copy is made at
-- every start; that is why the large table is not logged.
CREATE UNLOGGED TABLE stock_movements (
  article text NOT NULL, moved_at timestamptz NOT NULL, shelf int NOT NULL, in_stock int NOT NULL);
CREATE TABLE prices (article text PRIMARY KEY, cents int NOT NULL);

INSERT INTO prices
SELECT name, 900 + 350 * ordinality
FROM unnest(ARRAY['mug-blue', 'mug-red', 'scarf-wool', 'lamp-desk', 'desk-oak', 'chair-ash', 'rug-kilim',
                  'vase-clay', 'clock-wall', 'throw-linen']) WITH ORDINALITY AS a(name, ordinality);

INSERT INTO stock_movements
SELECT (ARRAY(SELECT article FROM prices ORDER BY cents))[1 + n % 10],
       now() - n * interval '42 seconds', n % 97, 1000000
FROM generate_series(1, 1500000) AS n;

ANALYZE;
