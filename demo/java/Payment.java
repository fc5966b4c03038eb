// SPDX-License-Identifier: Apache-2.0
// Charges a card: asks fraud first, then the payment provider.
import io.opentelemetry.instrumentation.annotations.SpanAttribute;
import io.opentelemetry.instrumentation.annotations.WithSpan;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.logging.Logger;

public final class Payment {
  private static final Logger log = Logger.getLogger("shop.Payment");
  private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private HttpResponse<String> post(String url, String json) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url))
        .timeout(Duration.ofSeconds(20))
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(json))
        .build();
    return client.send(request, BodyHandlers.ofString());
  }

  @WithSpan("charge card")
  void charge(
      @SpanAttribute("shop.order.id") String order,
      @SpanAttribute("payment.cents") long cents,
      @SpanAttribute("payment.card.network") String card) throws Exception {
    HttpResponse<String> score = post(System.getenv("FRAUD_URL") + "/score?order=" + order, "");
    if (score.statusCode() != 200) throw new Service.Refusal(502, "fraud answered " + score.statusCode());
    HttpResponse<String> charged = post(System.getenv("STRIPE_API_URL") + "/v1/charges",
        "{\"card\":\"" + card + "\",\"cents\":" + cents + "}");
    if (charged.statusCode() == 402) throw new Service.Refusal(402, "card_declined");
    if (charged.statusCode() != 200) throw new Service.Refusal(502, "stripe-api answered " + charged.statusCode());
    log.info("charged " + cents + " cents for " + order);
  }

  public static void main(String[] arguments) throws Exception {
    Payment payment = new Payment();
    Service.serve("/charge", parameters -> {
      try {
        payment.charge(parameters.get("order").get(0), Long.parseLong(parameters.get("cents").get(0)),
            parameters.get("card").get(0));
      } catch (Service.Refusal refusal) {
        log.warning("charge failed for " + parameters.get("order").get(0) + ": " + refusal.getMessage());
        throw refusal;
      }
      return "{\"status\":\"charged\"}";
    });
  }
}
