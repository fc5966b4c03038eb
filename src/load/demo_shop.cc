// SPDX-License-Identifier: Apache-2.0
#include "load/demo_shop.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace weft::load {
namespace {

using SpanRef = TraceRecorder::SpanRef;

constexpr uint64_t kMs = 1'000'000;
constexpr uint32_t kInfo = 9, kWarn = 13, kError = 17;  // OpenTelemetry's severity numbers

enum ServiceIndex : uint32_t {
  kGateway,
  kCheckout,
  kInventory,
  kPricing,
  kPayment,
  kStripe,
  kFraud,
  kNotification,
  kServiceCount,
};

constexpr ServiceResource kResources[kServiceCount] = {
    DescribeService("nodejs", "3.12.0", "gateway-7d9f6c5b8-x2vkq"),
    DescribeService("go", "1.48.2", "checkout-6c8b5d7f9-hj4ts"),
    DescribeService("java", "5.3.1", "inventory-59f7c8d6b-qw8zn"),
    DescribeService("python", "2.20.0", "pricing-84c6f9b7d-m5rlp"),
    DescribeService("java", "4.7.3", "payment-7b5d8f6c9-t9xgc"),
    DescribeService("ruby", "2026-08", "stripe-api-edge-03"),
    DescribeService("python", "0.9.4", "fraud-6f8c7b9d5-k7wvb"),
    DescribeService("rust", "1.2.0", "notification-5d9b6c8f7-z3npd"),
};
constexpr Service kServices[kServiceCount] = {
    {"gateway", kResources[kGateway], "@opentelemetry/instrumentation-http", "0.57.1"},
    {"checkout", kResources[kCheckout], "go.opentelemetry.io/contrib/otelgrpc", "0.58.0"},
    {"inventory", kResources[kInventory], "io.opentelemetry.jdbc", "2.11.0"},
    {"pricing", kResources[kPricing], "opentelemetry.instrumentation.redis", "0.50b0"},
    {"payment", kResources[kPayment], "io.opentelemetry.java-http-client", "2.11.0"},
    {"stripe-api", kResources[kStripe], "stripe", "2026-08"},
    {"fraud", kResources[kFraud], "opentelemetry.instrumentation.grpc", "0.50b0"},
    {"notification", kResources[kNotification], "tracing-opentelemetry", "0.28.0"},
};

constexpr std::string_view kArticles[] = {"mug-blue",   "mug-red",    "scarf-wool", "lamp-desk",
                                          "desk-oak",   "chair-ash",  "rug-kilim",  "vase-clay",
                                          "clock-wall", "throw-linen"};
constexpr std::string_view kCities[] = {"Basel", "Lyon", "Porto", "Graz", "Gent", "Turku"};

// One visit: time runs along the trace, every step reads and moves now_ns_.
class Visit {
 public:
  Visit(const DemoFaults& faults, TraceRecorder* recorder, uint64_t start_ns)
      : faults_(faults), r_(*recorder), dice_(recorder->dice()), now_ns_(start_ns) {
    user_ = Format("user-%04d", static_cast<int>(dice_.Below(4000)));
    articles_ = static_cast<int>(dice_.Between(1, 4));
  }

  void Browse() {
    bool list = dice_.Chance(50);
    std::string_view article = dice_.Pick(kArticles);
    Page("GET", list ? "/products" : "/products/{id}",
         list ? "/products"
              : Format("/products/%.*s", static_cast<int>(article.size()), article.data()),
         [&](SpanRef page) {
           Grpc(kGateway, kInventory, "shop.Inventory", "List", page, [&](SpanRef s) {
             Sql(kInventory, s, "SELECT shop.articles",
                 "SELECT id, title, stock FROM articles LIMIT 50", 5);
           });
           Grpc(kGateway, kPricing, "shop.Pricing", "Prices", page,
                [&](SpanRef s) { LoadPrice(s); });
         });
  }

  void Buy() {
    order_ = Format("ord-%08x", static_cast<unsigned>(dice_.Next()));
    Page("POST", "/checkout", "/checkout", [&](SpanRef page) { CheckOut(page); });
  }

 private:
  template <class... Args>
  std::string_view Format(const char* format, Args... args) {
    char text[160];
    int length = std::snprintf(text, sizeof text, format, args...);
    return r_.Copy({text, static_cast<size_t>(std::clamp(length, 0, 159))});
  }
  void Work(double ms) { now_ns_ += dice_.Latency(static_cast<uint64_t>(ms * kMs)); }
  // About `ms`, a tenth more or less: what a fault costs, without a tail that would blur it.
  void Stall(double ms) {
    now_ns_ += static_cast<uint64_t>(ms * kMs * (0.95 + 0.1 * dice_.Unit()));
  }

  template <class Inside>
  void Page(std::string_view method, std::string_view route, std::string_view path, Inside inside) {
    std::string_view name = Format("%.*s %.*s", static_cast<int>(method.size()), method.data(),
                                   static_cast<int>(route.size()), route.data());
    SpanRef page = r_.Open(kGateway, name, SpanKind::kServer, r_.kNoParent, now_ns_);
    Work(1.2);
    inside(page);
    Work(0.8);
    r_.Set(page,
           {Attr("http.request.method", method), Attr("http.route", route), Attr("url.path", path),
            Attr("url.scheme", "https"), Attr("server.address", "shop.example.com"),
            Attr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Firefox/133.0"),
            Attr("enduser.id", user_), Attr("network.protocol.version", "2")});
    r_.Set(page, "http.response.status_code", Value::Int(http_status_));
    if (http_status_ >= 500) r_.SetError(page, "");
    r_.Close(page, now_ns_);
  }

  // A client span in `from`, and the server span that answers it in `to`.
  template <class Inside>
  void Grpc(ServiceIndex from, ServiceIndex to, std::string_view service, std::string_view method,
            SpanRef parent, Inside inside) {
    std::string_view name = Format("%.*s/%.*s", static_cast<int>(service.size()), service.data(),
                                   static_cast<int>(method.size()), method.data());
    SpanRef client = r_.Open(from, name, SpanKind::kClient, parent, now_ns_);
    Work(0.4);
    SpanRef server = r_.Open(to, name, SpanKind::kServer, client, now_ns_);
    Work(0.6);
    inside(server);
    Work(0.3);
    r_.Close(server, now_ns_);
    Work(0.4);
    r_.Close(client, now_ns_);
    for (SpanRef span : {client, server}) {
      r_.Set(span, {Attr("rpc.system", "grpc"), Attr("rpc.service", service),
                    Attr("rpc.method", method)});
      r_.Set(span, "rpc.grpc.status_code", Value::Int(0));
    }
    r_.Set(client, "server.address", kServices[to].name);
    r_.Set(client, "server.port", Value::Int(50051));
    r_.Set(server, "enduser.id", user_);
  }

  template <class Inside>
  void Http(ServiceIndex from, ServiceIndex to, std::string_view host, std::string_view route,
            SpanRef parent, int attempt, Inside inside) {
    SpanRef client = r_.Open(from, "POST", SpanKind::kClient, parent, now_ns_);
    Work(0.7);
    SpanRef server = r_.Open(to, Format("POST %.*s", static_cast<int>(route.size()), route.data()),
                             SpanKind::kServer, client, now_ns_);
    int64_t status = inside(server);
    r_.Close(server, now_ns_);
    Work(0.7);
    r_.Close(client, now_ns_);
    for (SpanRef span : {client, server}) {
      r_.Set(span, "http.request.method", "POST");
      r_.Set(span, "http.response.status_code", Value::Int(status));
    }
    r_.Set(server,
           {Attr("http.route", route), Attr("url.path", route), Attr("url.scheme", "https")});
    r_.Set(client, "url.full",
           Format("https://%.*s%.*s", static_cast<int>(host.size()), host.data(),
                  static_cast<int>(route.size()), route.data()));
    r_.Set(client, "server.address", host);
    r_.Set(client, "server.port", Value::Int(443));
    if (attempt > 0) r_.Set(client, "http.request.resend_count", Value::Int(attempt));
    if (status >= 500) r_.SetError(server, "");
    if (status >= 400) {
      r_.SetError(client, "");
      r_.Set(client, "error.type", Format("%d", static_cast<int>(status)));
    }
  }

  SpanRef Sql(ServiceIndex from, SpanRef parent, std::string_view name, std::string_view text,
              double ms) {
    SpanRef span = r_.Open(from, name, SpanKind::kClient, parent, now_ns_);
    Work(ms);
    r_.Close(span, now_ns_);
    r_.Set(span,
           {Attr("db.system.name", "postgresql"), Attr("db.namespace", "shop"),
            Attr("db.query.text", text), Attr("db.operation.name", name.substr(0, name.find(' '))),
            Attr("server.address", "postgres.shop.svc")});
    r_.Set(span, "server.port", Value::Int(5432));
    return span;
  }

  void CheckOut(SpanRef page) {
    Http(kGateway, kCheckout, "checkout.shop.svc", "/checkout", page, 0, [&](SpanRef s) -> int64_t {
      Work(2);
      r_.Set(s, {Attr("shop.order.id", order_), Attr("enduser.id", user_),
                 Attr("shop.ship_to", dice_.Pick(kCities))});
      r_.Set(s, "shop.order.articles", Value::Int(articles_));
      Reserve(s);
      Grpc(kCheckout, kPricing, "shop.Pricing", "Quote", s, [&](SpanRef quote) {
        for (int i = 0; i < articles_; ++i) LoadPrice(quote);
        Work(1.5);
      });
      bool paid = Pay(s);
      if (paid) {
        Notify(s);
        r_.AddLog(s, now_ns_, kInfo, "order placed",
                  {Attr("shop.order.id", order_), Attr("enduser.id", user_)});
      } else {
        r_.AddLog(s, now_ns_, kWarn, "order not placed: the payment failed",
                  {Attr("shop.order.id", order_)});
      }
      Work(1);
      return http_status_;
    });
  }

  void Reserve(SpanRef parent) {
    Grpc(kCheckout, kInventory, "shop.Inventory", "Reserve", parent, [&](SpanRef s) {
      SpanRef select =
          Sql(kInventory, s, "SELECT shop.stock",
              "SELECT count, shelf FROM stock WHERE article_id = ANY($1) FOR UPDATE", 4);
      if (faults_.missing_index) {
        Stall(1650);
        r_.Close(select, now_ns_);
        r_.AddEvent(
            select, now_ns_, "slow query",
            {Attr("db.plan", "Seq Scan on stock"), {"db.rows_read", Value::Int(4'812'067)}});
        r_.AddLog(select, now_ns_, kWarn, "query took longer than 1 s: Seq Scan on stock",
                  {Attr("db.collection.name", "stock")});
      }
      r_.Set(select, "db.response.returned_rows", Value::Int(articles_));
      Sql(kInventory, s, "UPDATE shop.stock",
          "UPDATE stock SET count = count - $2 WHERE article_id = $1", 3);
      r_.Set(s, "shop.order.id", order_);
    });
  }

  // The price of one article: from the cache, else from the database.
  void LoadPrice(SpanRef parent) {
    std::string_view article = dice_.Pick(kArticles);
    int tries = faults_.cache_miss_retries && !order_.empty() ? 3 : 1;
    bool hit = tries == 1 && dice_.Chance(93);
    for (int i = 0; i < tries; ++i) {
      SpanRef get = r_.Open(kPricing, "GET", SpanKind::kClient, parent, now_ns_);
      tries > 1 ? Stall(310) : Work(0.5);
      r_.Close(get, now_ns_);
      r_.Set(get, {Attr("db.system.name", "redis"), Attr("db.operation.name", "GET"),
                   Attr("db.query.text",
                        Format("GET price:%.*s", static_cast<int>(article.size()), article.data())),
                   Attr("server.address", "redis.shop.svc")});
      r_.Set(get, "server.port", Value::Int(6379));
      r_.Set(get, "shop.cache.hit", Value::Bool(hit));
      if (tries == 1) continue;
      r_.SetError(get, "timeout after 300 ms");
      r_.Set(get, "error.type", "timeout");
      r_.AddLog(get, now_ns_, kWarn,
                Format("no answer from the cache for price:%.*s, try %d of %d",
                       static_cast<int>(article.size()), article.data(), i + 1, tries),
                {Attr("server.address", "redis.shop.svc")});
      Stall(20);
    }
    if (hit) return;
    Sql(kPricing, parent, "SELECT shop.prices",
        "SELECT amount, currency FROM prices WHERE article_id = $1", 6);
  }

  bool Pay(SpanRef parent) {
    bool paid = false;
    Http(kCheckout, kPayment, "payment.shop.svc", "/charge", parent, 0, [&](SpanRef s) -> int64_t {
      Work(1.5);
      r_.Set(s, {Attr("shop.order.id", order_), Attr("payment.method", "card"),
                 Attr("payment.card.network", dice_.Chance(60) ? "visa" : "mastercard")});
      r_.Set(s, "payment.amount",
             Value::Double(static_cast<double>(dice_.Between(900, 48'000)) / 100));
      Grpc(kPayment, kFraud, "shop.Fraud", "Score", s, [&](SpanRef score) { Score(score); });
      int64_t status = Charge(s);
      paid = status == 200;
      Work(1);
      if (paid) return 200;
      http_status_ = status == 402 ? 402 : 502;
      return http_status_;
    });
    return paid;
  }

  void Score(SpanRef span) {
    faults_.fraud_900ms ? Stall(900) : Work(28);
    double score = dice_.Unit() * 0.4;
    r_.Set(span, "fraud.score", Value::Double(score));
    r_.Set(span, "fraud.model", "gbm-2026-07");
    if (faults_.fraud_900ms) {
      r_.AddEvent(span, now_ns_, "model reloaded", {Attr("fraud.model", "gbm-2026-07")});
      r_.AddLog(span, now_ns_, kWarn, "the model was evicted and had to be loaded again", {});
    }
  }

  // The card is charged at stripe-api; what it answers. A 503 is tried again, up to three times.
  int64_t Charge(SpanRef parent) {
    bool hangs = !faults_.any() && dice_.Chance(6);
    bool declined = dice_.Chance(3);
    int64_t status = 0;
    for (int attempt = 0; attempt < 3; ++attempt) {
      bool unavailable = !hangs && !faults_.any() && dice_.Chance(attempt == 0 ? 5 : 20);
      status = unavailable ? 503 : declined ? 402 : 200;
      Http(kPayment, kStripe, "api.stripe.example", "/v1/charges", parent, attempt, [&](SpanRef s) {
        if (unavailable) {
          Work(25);
        } else if (faults_.slow_stripe || hangs) {
          Stall(hangs ? 4100 : 3200);
          r_.AddEvent(s, now_ns_, "issuer answered", {Attr("issuer.region", "eu-west")});
        } else {
          Work(110);
        }
        r_.Set(s, "stripe.request_id",
               Format("req_%012llx", static_cast<unsigned long long>(dice_.Next() >> 16)));
        r_.Set(s, "stripe.idempotency_key", order_);
        return status;
      });
      if (status != 503) break;
      r_.AddLog(parent, now_ns_, kWarn, Format("stripe-api answered 503, try %d of 3", attempt + 1),
                {Attr("shop.order.id", order_)});
      Stall(50 << attempt);
    }
    if (status == 402) {
      r_.AddEvent(parent, now_ns_, "exception",
                  {Attr("exception.type", "com.example.payment.CardDeclined"),
                   Attr("exception.message", "Your card was declined."),
                   Attr("exception.stacktrace",
                        "com.example.payment.CardDeclined: Your card was declined.\n"
                        "\tat com.example.payment.StripeClient.charge(StripeClient.java:118)\n"
                        "\tat com.example.payment.ChargeHandler.post(ChargeHandler.java:64)")});
      r_.SetError(parent, "card_declined");
      r_.AddLog(parent, now_ns_, kError, "charge failed: card_declined",
                {Attr("shop.order.id", order_)});
    } else if (status == 503) {
      r_.SetError(parent, "stripe-api is unavailable");
      r_.AddLog(parent, now_ns_, kError, "charge failed: stripe-api is unavailable after 3 tries",
                {Attr("shop.order.id", order_)});
    }
    return status;
  }

  // The order is published; the mail is sent after checkout has answered.
  void Notify(SpanRef parent) {
    SpanRef publish = r_.Open(kCheckout, "orders publish", SpanKind::kProducer, parent, now_ns_);
    Work(1.1);
    r_.Close(publish, now_ns_);
    uint64_t back_ns = now_ns_;
    Work(8);
    SpanRef process =
        r_.Open(kNotification, "orders process", SpanKind::kConsumer, publish, now_ns_);
    r_.AddLink(process, publish);
    Work(2);
    SpanRef mail = r_.Open(kNotification, "send mail", SpanKind::kClient, process, now_ns_);
    Work(45);
    r_.Close(mail, now_ns_);
    r_.Set(mail, {Attr("network.protocol.name", "smtp"), Attr("server.address", "smtp.shop.svc"),
                  Attr("shop.mail.template", "order-confirmation")});
    Work(0.5);
    r_.Close(process, now_ns_);
    r_.AddLog(process, now_ns_, kInfo, "confirmation sent", {Attr("shop.order.id", order_)});
    for (SpanRef span : {publish, process}) {
      r_.Set(span, {Attr("messaging.system", "kafka"), Attr("messaging.destination.name", "orders"),
                    Attr("shop.order.id", order_)});
      r_.Set(span, "messaging.operation.type", span == publish ? "publish" : "process");
    }
    now_ns_ = back_ns;
  }

  const DemoFaults& faults_;
  TraceRecorder& r_;
  Dice& dice_;
  uint64_t now_ns_;
  std::string_view user_;
  std::string_view order_;  // empty while only looking
  int articles_ = 0;
  int64_t http_status_ = 200;
};

}  // namespace

Status SetDemoFault(std::string_view name, DemoFaults* faults) {
  bool* const switches[] = {&faults->slow_stripe, &faults->fraud_900ms, &faults->missing_index,
                            &faults->cache_miss_retries};
  for (size_t i = 0; i < std::size(kDemoFaultNames); ++i) {
    if (name == kDemoFaultNames[i]) {
      *switches[i] = true;
      return {};
    }
  }
  std::string known;
  for (std::string_view fault : kDemoFaultNames)
    known += std::string(known.empty() ? "" : ", ") + std::string(fault);
  return Fail(ErrorCode::kInvalidArgument,
              "no fault is called '" + std::string(name) + "'; there are " + known);
}

SpanBatch DemoShop::Visits(std::span<const uint64_t> start_ns) {
  SpanBatch batch;
  TraceRecorder recorder(kServices, &batch, &dice_);
  for (uint64_t start : start_ns) {
    Visit visit(faults_, &recorder, start);
    dice_.Below(3) == 0 ? visit.Buy() : visit.Browse();
    recorder.NewTrace();
  }
  recorder.Finish();
  return batch;
}

SpanBatch DemoShop::Checkout(uint64_t start_ns) {
  SpanBatch batch;
  TraceRecorder recorder(kServices, &batch, &dice_);
  Visit(faults_, &recorder, start_ns).Buy();
  recorder.Finish();
  return batch;
}

}  // namespace weft::load
