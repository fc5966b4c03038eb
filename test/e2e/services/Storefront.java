// SPDX-License-Identifier: Apache-2.0
// The first service of the TLS test: one visitor, who asks `orders` and goes. Traced by the Java
// agent, which sends what it has when the program ends.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

final class Storefront {
  public static void main(String[] arguments) throws Exception {
    URI orders = URI.create(System.getenv("ORDERS_URL") + "/order/lamp");
    HttpResponse<String> answer = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
        .send(HttpRequest.newBuilder(orders).build(), HttpResponse.BodyHandlers.ofString());
    System.out.println(answer.statusCode() + " " + answer.body());
  }
}
