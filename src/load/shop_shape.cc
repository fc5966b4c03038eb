// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>

#include "load/dice.h"
#include "load/load_shape.h"
#include "load/trace_recorder.h"

namespace weft::load {
namespace {

using SpanRef = TraceRecorder::SpanRef;

enum ServiceIndex : uint32_t {
  kFrontendProxy,
  kFrontend,
  kCart,
  kCheckout,
  kCurrency,
  kCatalog,
  kRecommendation,
  kAd,
  kPayment,
  kShipping,
  kQuote,
  kEmail,
  kFraud,
  kAccounting,
  kImages,
  kServiceCount,
};

constexpr ServiceResource kResources[kServiceCount] = {
    DescribeService("cpp", "2.4.1", "frontend-proxy-6b7f9"),
    DescribeService("nodejs", "2.4.1", "frontend-5d9c4"),
    DescribeService("dotnet", "2.4.1", "cart-7c6d8"),
    DescribeService("go", "2.4.1", "checkout-9f8b6"),
    DescribeService("cpp", "2.4.1", "currency-8d7f5"),
    DescribeService("go", "2.4.1", "catalog-6c5b4"),
    DescribeService("python", "2.4.1", "recommend-4f5d6"),
    DescribeService("java", "2.4.1", "ad-7b8c9"),
    DescribeService("nodejs", "2.4.1", "payment-5c6d7"),
    DescribeService("rust", "2.4.1", "shipping-8f9b7"),
    DescribeService("php", "2.4.1", "quote-6d7f8"),
    DescribeService("ruby", "2.4.1", "email-9c8b7"),
    DescribeService("java", "2.4.1", "fraud-4d5c6"),
    DescribeService("dotnet", "2.4.1", "accounting-7f6d5"),
    DescribeService("nginx", "2.4.1", "images-5b6c7"),
};

constexpr Service kServices[kServiceCount] = {
    {"frontend-proxy", kResources[0], "envoy", "1.31"},
    {"frontend", kResources[1], "@opentelemetry/instrumentation-http", "0.57.1"},
    {"cart", kResources[2], "OpenTelemetry.Instrumentation.AspNetCore", "1.10.1"},
    {"checkout", kResources[3], "otelgrpc", "0.58.0"},
    {"currency", kResources[4], "currency", "1.18.0"},
    {"product-catalog", kResources[5], "otelgrpc", "0.58.0"},
    {"recommendation", kResources[6], "opentelemetry.instrumentation.grpc", "0.50b0"},
    {"ad", kResources[7], "io.opentelemetry.grpc-1.6", "2.11.0"},
    {"payment", kResources[8], "@opentelemetry/instrumentation-grpc", "0.57.1"},
    {"shipping", kResources[9], "actix-web-opentelemetry", "0.20.1"},
    {"quote", kResources[10], "io.opentelemetry.contrib.php.slim", "1.2.0"},
    {"email", kResources[11], "OpenTelemetry::Instrumentation::Sinatra", "0.25.0"},
    {"fraud-detection", kResources[12], "io.opentelemetry.kafka-clients-2.6", "2.11.0"},
    {"accounting", kResources[13], "OpenTelemetry.AutoInstrumentation.Kafka", "1.10.0"},
    {"image-provider", kResources[14], "ngx_otel_module", "0.1.0"},
};

constexpr std::string_view kProducts[] = {"0PUK6V6EV0", "1YMWWN1N4O", "2ZYFJ3GM2N", "66VCHSJNUP",
                                          "6E92ZMYYFZ", "9SIQT8TOJO", "L9ECAV7KIM", "LS4PSXUNUM",
                                          "OLJCESPC7Z", "HQTGWGPNH4", "7KLM2N8P3Q", "3RST5V9W1X",
                                          "8YZA4B6C2D", "5EFG7H1J9K"};
constexpr std::string_view kCurrencies[] = {"USD", "EUR", "CHF", "JPY", "GBP", "CAD", "SEK"};
constexpr std::string_view kAgents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"};
constexpr uint64_t kUsers = 50'000;
constexpr uint64_t kUs = 1000;

// A method that other services call, and what it costs by itself.
struct Method {
  ServiceIndex service;
  std::string_view rpc_service, rpc_method, span_name;
  uint64_t own_us;
};
constexpr Method kGetCart{kCart, "shop.Cart", "GetCart", "shop.Cart/GetCart", 350};
constexpr Method kAddItem{kCart, "shop.Cart", "AddItem", "shop.Cart/AddItem", 500};
constexpr Method kEmptyCart{kCart, "shop.Cart", "EmptyCart", "shop.Cart/EmptyCart", 420};
constexpr Method kConvert{kCurrency, "shop.Currency", "Convert", "shop.Currency/Convert", 90};
constexpr Method kGetProduct{kCatalog, "shop.Catalog", "GetProduct", "shop.Catalog/GetProduct",
                             200};
constexpr Method kListProducts{kCatalog, "shop.Catalog", "ListProducts",
                               "shop.Catalog/ListProducts", 900};
constexpr Method kRecommend{kRecommendation, "shop.Recommendation", "List",
                            "shop.Recommendation/List", 2500};
constexpr Method kGetAds{kAd, "shop.Ad", "GetAds", "shop.Ad/GetAds", 1200};
constexpr Method kPlaceOrder{kCheckout, "shop.Checkout", "PlaceOrder", "shop.Checkout/PlaceOrder",
                             1500};
constexpr Method kCharge{kPayment, "shop.Payment", "Charge", "shop.Payment/Charge", 1800};
constexpr Method kShip{kShipping, "shop.Shipping", "ShipOrder", "shop.Shipping/ShipOrder", 300};
constexpr Method kGetQuote{kQuote, "shop.Quote", "GetQuote", "shop.Quote/GetQuote", 700};
constexpr Method kConfirm{kEmail, "shop.Email", "SendConfirmation", "shop.Email/SendConfirmation",
                          4000};

class ShopShape final : public LoadShape {
 public:
  explicit ShopShape(const LoadOptions& options) : dice_(options.seed), pace_(options) {}

  SpanBatch NextBatch(uint32_t spans) override {
    SpanBatch batch;
    TraceRecorder recorder(kServices, &batch, &dice_);
    recorder_ = &recorder;
    while (batch.spans.size() < spans) {
      ++traces_;
      AddTrace(pace_.StartOf(spans_ + batch.spans.size(), dice_.Unit()));
      recorder.NewTrace();
    }
    recorder.Finish();
    recorder_ = nullptr;
    spans_ += batch.spans.size();
    return batch;
  }

 private:
  // Time runs along the trace: every step reads and moves now_ns_.
  void Work(uint64_t us) { now_ns_ += dice_.Latency(us * kUs); }

  void AddTrace(uint64_t start_ns) {
    now_ns_ = start_ns;
    user_ = dice_.Below(kUsers);
    failed_ = false;
    switch (dice_.Below(10)) {
      case 0:
        return Page("GET", "/", "/", [this](SpanRef p) { Home(p); });
      case 1:
      case 2:
      case 3:
      case 4: {
        char path[32];
        std::string_view product = dice_.Pick(kProducts);
        std::snprintf(path, sizeof path, "/product/%.*s", static_cast<int>(product.size()),
                      product.data());
        return Page("GET", "/product/{id}", path, [this](SpanRef p) { Product(p); });
      }
      case 5:
      case 6:
        return Page("POST", "/api/cart", "/api/cart", [this](SpanRef p) { AddToCart(p); });
      case 7:
        return Page("GET", "/images/{name}", "/images/banner.webp",
                    [this](SpanRef p) { Image(p); });
      default:
        return Page("POST", "/api/checkout", "/api/checkout", [this](SpanRef p) { Checkout(p); });
    }
  }

  template <class Inside>
  void Page(std::string_view method, std::string_view route, std::string_view path, Inside inside) {
    TraceRecorder& r = *recorder_;
    SpanRef ingress = r.Open(kFrontendProxy, "ingress", SpanKind::kServer, r.kNoParent, now_ns_);
    Work(80);
    std::string_view kept_path = r.Copy(path);
    SpanRef server = r.Open(kFrontend, route, SpanKind::kServer, ingress, now_ns_);
    Work(600);
    inside(server);
    Work(300);
    int64_t status = failed_ ? 500 : 200;
    r.Set(server, {Attr("http.request.method", method), Attr("http.route", route),
                   Attr("url.path", kept_path), Attr("url.scheme", "http"),
                   Attr("server.address", "frontend"), Attr("network.protocol.version", "1.1")});
    r.Set(server, "http.response.status_code", Value::Int(status));
    SetUser(server);
    r.Close(server, now_ns_);
    Work(40);
    r.Set(ingress, {Attr("http.request.method", method), Attr("url.path", kept_path),
                    Attr("url.scheme", "https"), Attr("upstream_cluster", "frontend"),
                    Attr("server.address", "shop.example.com"),
                    Attr("user_agent.original", dice_.Pick(kAgents))});
    SetClientAddress(ingress);
    r.Set(ingress, "http.response.status_code", Value::Int(status));
    r.Set(ingress, "http.response.body.size",
          Value::Int(static_cast<int64_t>(dice_.Between(500, 40'000))));
    if (failed_) {
      r.SetError(server, "upstream call failed");
      r.SetError(ingress, "");
    }
    r.Close(ingress, now_ns_);
  }

  void Home(SpanRef parent) {
    Call(kFrontend, parent, kListProducts,
         [this](SpanRef p) { Query(kCatalog, p, "SELECT", "products", 700); });
    for (int i = 0; i < 3; ++i) Call(kFrontend, parent, kConvert);
    Call(kFrontend, parent, kGetAds);
    Call(kFrontend, parent, kGetCart, [this](SpanRef p) { Cache(p, "HGET"); });
  }

  void Product(SpanRef parent) {
    Call(kFrontend, parent, kGetProduct,
         [this](SpanRef p) { Query(kCatalog, p, "SELECT", "products", 400); });
    Call(kFrontend, parent, kConvert);
    Call(kFrontend, parent, kRecommend,
         [this](SpanRef p) { Call(kRecommendation, p, kListProducts); });
    if (dice_.Chance(60)) Call(kFrontend, parent, kGetAds);
  }

  void AddToCart(SpanRef parent) {
    Call(kFrontend, parent, kGetProduct,
         [this](SpanRef p) { Query(kCatalog, p, "SELECT", "products", 400); });
    Call(kFrontend, parent, kAddItem, [this](SpanRef p) {
      Cache(p, "HSET");
      Cache(p, "EXPIRE");
    });
    Call(kFrontend, parent, kGetCart, [this](SpanRef p) { Cache(p, "HGET"); });
  }

  void Image(SpanRef parent) {
    TraceRecorder& r = *recorder_;
    SpanRef span = r.Open(kImages, "GET", SpanKind::kServer, parent, now_ns_);
    Work(250);
    r.Set(span, {Attr("http.request.method", "GET"), Attr("http.route", "/images/"),
                 Attr("url.path", "/images/banner.webp"), Attr("network.protocol.version", "1.1")});
    r.Set(span, "http.response.status_code", Value::Int(200));
    r.Set(span, "http.response.body.size", Value::Int(48'213));
    r.Close(span, now_ns_);
  }

  void Checkout(SpanRef parent) {
    Call(kFrontend, parent, kPlaceOrder, [this](SpanRef p) {
      Call(kCheckout, p, kGetCart, [this](SpanRef c) { Cache(c, "HGET"); });
      uint64_t items = dice_.Between(1, 3);
      for (uint64_t i = 0; i < items; ++i) {
        Call(kCheckout, p, kGetProduct,
             [this](SpanRef c) { Query(kCatalog, c, "SELECT", "products", 400); });
        Call(kCheckout, p, kConvert);
      }
      Call(kCheckout, p, kGetQuote);
      Call(kCheckout, p, kCharge, [](SpanRef) {}, 6);
      if (failed_) return;
      Call(kCheckout, p, kShip);
      Call(kCheckout, p, kEmptyCart, [this](SpanRef c) { Cache(c, "DEL"); });
      Call(kCheckout, p, kConfirm);
      Publish(p);
    });
  }

  // A client span in `from` and the server span that answers it. A call fails `fails_percent` times
  // by itself, and with whatever it calls.
  template <class Inside>
  void Call(ServiceIndex from, SpanRef parent, const Method& method, Inside inside,
            double fails_percent = 0.2) {
    TraceRecorder& r = *recorder_;
    SpanRef client = r.Open(from, method.span_name, SpanKind::kClient, parent, now_ns_);
    uint64_t sent_bytes = dice_.Between(20, 400);
    r.AddEvent(client, now_ns_, "message",
               {Attr("message.type", "SENT"), {"message.id", Value::Int(1)}});
    Work(150);
    SpanRef server = r.Open(method.service, method.span_name, SpanKind::kServer, client, now_ns_);
    r.AddEvent(server, now_ns_, "message",
               {Attr("message.type", "RECEIVED"),
                {"message.id", Value::Int(1)},
                {"message.uncompressed_size", Value::Int(static_cast<int64_t>(sent_bytes))}});
    Work(method.own_us);
    inside(server);
    if (dice_.Chance(fails_percent)) failed_ = true;
    SetRpc(server, method);
    SetPeer(server);
    SetUser(server);
    r.Close(server, now_ns_);
    Work(120);
    SetRpc(client, method);
    r.Set(client, "server.address", kServices[method.service].name);
    r.Set(client, "server.port", Value::Int(8080));
    r.AddEvent(client, now_ns_, "message",
               {Attr("message.type", "RECEIVED"), {"message.id", Value::Int(1)}});
    r.Close(client, now_ns_);
  }
  void Call(ServiceIndex from, SpanRef parent, const Method& method) {
    Call(from, parent, method, [](SpanRef) {});
  }

  void Query(ServiceIndex from, SpanRef parent, std::string_view operation, std::string_view table,
             uint64_t us) {
    TraceRecorder& r = *recorder_;
    SpanRef span = r.Open(from, "SELECT shop.products", SpanKind::kClient, parent, now_ns_);
    Work(us);
    r.Set(span,
          {Attr("db.system.name", "postgresql"), Attr("db.namespace", "shop"),
           Attr("db.operation.name", operation), Attr("db.collection.name", table),
           Attr("db.query.text", "SELECT id, name, price, stock FROM products WHERE id = $1"),
           Attr("server.address", "postgres"), Attr("app.product.id", dice_.Pick(kProducts))});
    r.Set(span, "server.port", Value::Int(5432));
    r.Set(span, "db.response.returned_rows", Value::Int(1));
    r.Close(span, now_ns_);
  }

  void Cache(SpanRef parent, std::string_view command) {
    TraceRecorder& r = *recorder_;
    SpanRef span = r.Open(kCart, command, SpanKind::kClient, parent, now_ns_);
    Work(110);
    r.Set(span, {Attr("db.system.name", "redis"), Attr("db.operation.name", command),
                 Attr("db.query.text", command), Attr("server.address", "valkey-cart"),
                 Attr("network.transport", "tcp"), Attr("db.redis.flags", "None")});
    r.Set(span, "server.port", Value::Int(6379));
    r.Set(span, "db.redis.database_index", Value::Int(0));
    SetUser(span);
    r.Close(span, now_ns_);
  }

  void Publish(SpanRef parent) {
    TraceRecorder& r = *recorder_;
    SpanRef publish = r.Open(kCheckout, "orders publish", SpanKind::kProducer, parent, now_ns_);
    Work(900);
    r.Close(publish, now_ns_);
    int64_t offset = static_cast<int64_t>(traces_);
    SetMessage(publish, "publish", offset);
    uint64_t later_ns = now_ns_;
    for (ServiceIndex consumer : {kFraud, kAccounting}) {
      later_ns += dice_.Latency(3000 * kUs);
      SpanRef span = r.Open(consumer, "orders consume", SpanKind::kConsumer, publish, later_ns);
      SetMessage(span, "process", offset);
      r.Set(span, "messaging.consumer.group.name", kServices[consumer].name);
      r.Close(span, later_ns + dice_.Latency(1500 * kUs));
    }
  }

  void SetMessage(SpanRef span, std::string_view operation, int64_t offset) {
    TraceRecorder& r = *recorder_;
    r.Set(span, {Attr("messaging.system", "kafka"), Attr("messaging.destination.name", "orders"),
                 Attr("messaging.operation.type", operation), Attr("server.address", "kafka")});
    r.Set(span, "server.port", Value::Int(9092));
    r.Set(span, "messaging.destination.partition.id", Value::Int(offset % 3));
    r.Set(span, "messaging.kafka.offset", Value::Int(offset / 3));
  }

  void SetRpc(SpanRef span, const Method& method) {
    recorder_->Set(span, {Attr("rpc.system", "grpc"), Attr("rpc.service", method.rpc_service),
                          Attr("rpc.method", method.rpc_method), Attr("network.transport", "tcp")});
    recorder_->Set(span, "rpc.grpc.status_code", Value::Int(failed_ ? 13 : 0));
    if (failed_) recorder_->SetError(span, "internal: upstream call failed");
  }

  void SetPeer(SpanRef span) {
    char address[16];
    std::snprintf(address, sizeof address, "10.42.%d.%d", static_cast<int>(dice_.Below(3)),
                  static_cast<int>(10 + dice_.Below(40)));
    recorder_->SetText(span, "network.peer.address", address);
    recorder_->Set(span, "network.peer.port",
                   Value::Int(static_cast<int64_t>(dice_.Between(32768, 60999))));
  }

  void SetUser(SpanRef span) {
    char user[16];
    std::snprintf(user, sizeof user, "u-%05d", static_cast<int>(user_));
    recorder_->SetText(span, "enduser.id", user);
    recorder_->Set(span, "app.currency", kCurrencies[user_ % std::size(kCurrencies)]);
  }

  void SetClientAddress(SpanRef span) {
    char address[20];
    std::snprintf(address, sizeof address, "198.51.%d.%d", static_cast<int>(user_ >> 8 & 255),
                  static_cast<int>(user_ & 255));
    recorder_->SetText(span, "client.address", address);
  }

  Dice dice_;
  TracePace pace_;
  TraceRecorder* recorder_ = nullptr;  // during NextBatch()
  uint64_t traces_ = 0;
  uint64_t spans_ = 0;  // of the batches before
  uint64_t now_ns_ = 0;
  uint64_t user_ = 0;
  bool failed_ = false;  // something below has failed: callers answer with an error
};

}  // namespace

std::unique_ptr<LoadShape> MakeShopShape(const LoadOptions& options) {
  return std::make_unique<ShopShape>(options);
}

}  // namespace weft::load
