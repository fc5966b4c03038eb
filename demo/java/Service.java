// SPDX-License-Identifier: Apache-2.0
// A service on the JDK's own HTTP server: one path, parameters in the query string, JSON answers.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

import static java.nio.charset.StandardCharsets.UTF_8;

final class Service {
  /** What a service does with a request; an answer other than 200 is a Refusal. */
  interface Handler {
    String answer(Map<String, List<String>> parameters) throws Exception;
  }

  static final class Refusal extends Exception {
    final int status;

    Refusal(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  private static final Logger log = Logger.getLogger("shop.Service");

  static void serve(String path, Handler handler) throws IOException {
    int port = Integer.parseInt(System.getenv("PORT"));
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext(path, exchange -> {
      try (exchange) {
        respond(exchange, handler);
      }
    });
    server.start();
  }

  private static void respond(HttpExchange exchange, Handler handler) throws IOException {
    int status = 200;
    String body;
    try {
      body = handler.answer(parameters(exchange.getRequestURI().getRawQuery()));
    } catch (Refusal refusal) {
      status = refusal.status;
      body = "{\"error\":\"" + refusal.getMessage() + "\"}";
    } catch (Exception error) {
      log.log(Level.SEVERE, "request failed", error);
      status = 500;
      body = "{\"error\":\"internal\"}";
    }
    exchange.getRequestBody().readAllBytes();
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    byte[] bytes = body.getBytes(UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static Map<String, List<String>> parameters(String query) {
    Map<String, List<String>> found = new HashMap<>();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      String[] sides = pair.split("=", 2);
      found.computeIfAbsent(URLDecoder.decode(sides[0], UTF_8), name -> new ArrayList<>())
          .add(sides.length == 2 ? URLDecoder.decode(sides[1], UTF_8) : "");
    }
    return found;
  }
}
