-- What the inventory's query wants. The fault `missing-index` drops it; this file is its mending.
CREATE INDEX IF NOT EXISTS stock_movements_newest ON stock_movements (article, moved_at);
