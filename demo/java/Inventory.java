// SPDX-License-Identifier: Apache-2.0
// Reserves stock in PostgreSQL. Its query wants the newest movement of each article, which is quick
// with the index of schema.sql and reads the whole table without: the fault `missing-index`.
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.opentelemetry.instrumentation.annotations.SpanAttribute;
import io.opentelemetry.instrumentation.annotations.WithSpan;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.logging.Logger;
import javax.sql.DataSource;

public final class Inventory {
  private static final Logger log = Logger.getLogger("shop.Inventory");
  private static final String NEWEST =
      "SELECT a.article, m.shelf, m.in_stock FROM unnest(?) AS a(article) CROSS JOIN LATERAL ("
          + "SELECT shelf, in_stock FROM stock_movements WHERE article = a.article"
          + " ORDER BY moved_at DESC LIMIT 1) AS m";
  private static final String MOVE =
      "INSERT INTO stock_movements (article, moved_at, shelf, in_stock) VALUES (?, clock_timestamp(), ?, ?)";

  private final DataSource database;

  Inventory(DataSource database) {
    this.database = database;
  }

  @WithSpan("reserve stock")
  int reserve(@SpanAttribute("shop.order.id") String order, List<String> articles) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement newest = connection.prepareStatement(NEWEST);
        PreparedStatement move = connection.prepareStatement(MOVE)) {
      newest.setArray(1, connection.createArrayOf("text", articles.toArray()));
      long began = System.nanoTime();
      ResultSet rows = newest.executeQuery();
      long ms = (System.nanoTime() - began) / 1_000_000;
      if (ms > 200) log.warning("the newest movement of " + articles.size() + " articles took " + ms + " ms to find");
      int reserved = 0;
      for (; rows.next(); ++reserved) {
        move.setString(1, rows.getString("article"));
        move.setInt(2, rows.getInt("shelf"));
        move.setInt(3, rows.getInt("in_stock") - 1);
        move.addBatch();
      }
      move.executeBatch();
      log.info("reserved " + reserved + " articles for " + order);
      return reserved;
    }
  }

  public static void main(String[] arguments) throws Exception {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(System.getenv("DATABASE_JDBC_URL"));
    config.setMaximumPoolSize(8);
    Inventory inventory = new Inventory(new HikariDataSource(config));
    Service.serve("/reserve", parameters -> {
      int reserved = inventory.reserve(parameters.get("order").get(0), parameters.get("article"));
      return "{\"reserved\":" + reserved + "}";
    });
  }
}
