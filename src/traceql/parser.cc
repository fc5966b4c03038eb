// SPDX-License-Identifier: Apache-2.0
//
// Recursive descent over tokens, precedence climbing inside braces. What stands between the braces,
// and spansets joined by && and ||, become a tree; hints are checked; the rest of the language
// (pipelines, structural operators, aggregates, metrics) is recognised only, so that wrong text and
// text of a later release get different answers.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "traceql/excerpt.h"
#include "traceql/hints.h"
#include "traceql/id_literal.h"
#include "traceql/lexer.h"
#include "traceql/name_hints.h"
#include "traceql/precedence.h"
#include "traceql/traceql.h"
#include "traceql/types.h"
#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

constexpr std::string_view kAggregates[] = {"count", "min", "max", "avg", "sum"};
constexpr std::string_view kMetrics[] = {
    "rate",          "count_over_time",    "min_over_time",       "max_over_time", "avg_over_time",
    "sum_over_time", "quantile_over_time", "histogram_over_time", "compare"};
constexpr std::string_view kStages[] = {"by", "coalesce", "select", "topk", "bottomk"};

// Binary operators inside braces, by text.
struct BinaryWord {
  std::string_view text;
  Operator op;
};
constexpr BinaryWord kBinaryWords[] = {
    {"&&", Operator::kAnd},      {"||", Operator::kOr},           {"=", Operator::kEqual},
    {"!=", Operator::kNotEqual}, {"<", Operator::kLess},          {"<=", Operator::kLessEqual},
    {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}, {"=~", Operator::kRegex},
    {"!~", Operator::kNotRegex}, {"+", Operator::kAdd},           {"-", Operator::kSubtract},
    {"*", Operator::kMultiply},  {"/", Operator::kDivide},        {"%", Operator::kModulo},
    {"^", Operator::kPower}};
constexpr std::string_view kStructural[] = {">",   "<",  ">>", "<<", "~",   "!>",  "!<", "!>>",
                                            "!<<", "!~", "&>", "&<", "&>>", "&<<", "&~"};

template <size_t n>
bool IsOneOf(std::string_view word, const std::string_view (&words)[n]) {
  for (std::string_view candidate : words)
    if (candidate == word) return true;
  return false;
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // Null with failed() set where the text is wrong.
  std::optional<Query> Run() {
    auto operand = Pipeline();
    if (!operand) return std::nullopt;
    if (IsWord("with") && !Hints()) return std::nullopt;
    if (Next().kind != TokenKind::kEnd) {
      FailHere(Next().kind == TokenKind::kOperator || AtPunctuation(")") || AtPunctuation("}")
                   ? "unexpected"
                   : "expected the end of the query",
               OperatorHint(tokens_, at_));
      return std::nullopt;
    }
    if (operand->shape == Shape::kNumber) {
      Fail(Position{}, "a query needs a spanset", "as in { .http.status_code >= 500 }");
      return std::nullopt;
    }
    return Query{operand->spanset};
  }

  const Diagnostic& error() const { return error_; }
  // What was understood but belongs to a later release: the first of it.
  const std::optional<Diagnostic>& later() const { return later_; }

 private:
  // A piece outside braces.
  enum class Shape : uint8_t {
    kSpanset,
    kNumber,    // a literal or an aggregate
    kPipeline,  // spansets or a metric, of a later release
  };
  struct Piece {
    Shape shape = Shape::kPipeline;
    SpansetPtr spanset;  // of kSpanset
  };

  const Token& Next() const { return tokens_[at_]; }
  void Skip() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool AtText(TokenKind kind, std::string_view text) const {
    return Next().kind == kind && Next().text == text;
  }
  bool AtPunctuation(std::string_view text) const { return AtText(TokenKind::kPunctuation, text); }
  bool AtOperator(std::string_view text) const { return AtText(TokenKind::kOperator, text); }
  bool IsWord(std::string_view text) const { return AtText(TokenKind::kWord, text); }

  void Fail(Position at, std::string message, std::string hint) {
    if (error_.message.empty()) error_ = {at, std::move(message), std::move(hint)};
  }
  void FailHere(std::string_view message, std::string hint) {
    std::string found =
        Next().kind == TokenKind::kEnd ? "the end" : fmt::format("'{}'", Next().text);
    Fail(Next().position,
         message == "unexpected" ? fmt::format("unexpected {}", found)
                                 : fmt::format("{}, found {}", message, found),
         std::move(hint));
  }
  bool Expect(std::string_view punctuation, std::string_view after) {
    if (AtPunctuation(punctuation)) {
      Skip();
      return true;
    }
    FailHere(fmt::format("expected '{}' {}", punctuation, after), OperatorHint(tokens_, at_));
    return false;
  }
  void Later(Position at, std::string feature) {
    if (!later_)
      later_ = {at, fmt::format("{} is not supported yet", feature),
                "this release evaluates spansets {...} joined by && and ||"};
  }

  // One level deeper; false (with an error) beyond the limit.
  class Level {
   public:
    explicit Level(Parser* parser) : parser_(parser) { ++parser_->depth_; }
    ~Level() { --parser_->depth_; }
    bool ok() const {
      if (parser_->depth_ <= kNestingMax) return true;
      parser_->Fail(parser_->Next().position,
                    fmt::format("nested more than {} levels deep", kNestingMax), "");
      return false;
    }

   private:
    Parser* parser_;
  };

  std::optional<Piece> Pipeline();
  std::optional<Piece> Stage();
  std::optional<Piece> Chain();
  std::optional<Piece> Term();
  std::optional<Piece> Operand();
  std::optional<Shape> Combine(const Token& token, Shape left, Shape right);
  std::optional<Piece> Join(const Token& token, const Piece& left, const Piece& right);
  std::optional<Piece> Call();
  std::optional<Piece> Braces();
  bool Arguments();
  bool Hints();

  ExpressionPtr ParseExpression(int level);
  ExpressionPtr ParsePrefix();
  ExpressionPtr ParseWord();
  ExpressionPtr Unary(const Token& token, Operator op, ExpressionPtr operand);
  ExpressionPtr Binary(const Token& token, Operator op, ExpressionPtr left, ExpressionPtr right);
  ExpressionPtr IdLiteral(const Expression& field, ExpressionPtr literal);
  ExpressionPtr LiteralAt(const Token& token, Literal literal);
  ExpressionPtr FieldAt(const Token& token, Field field);

  std::vector<Token> tokens_;
  size_t at_ = 0;
  const Expression* against_ = nullptr;  // what the operand being read is compared with, or null
  uint32_t depth_ = 0;
  Diagnostic error_;
  std::optional<Diagnostic> later_;
};

// chain ('|' stage)*
std::optional<Parser::Piece> Parser::Pipeline() {
  auto first = IsWord("by") || IsWord("select") ? Stage() : Chain();
  while (first && AtPunctuation("|")) {
    Later(Next().position, "the pipeline operator '|'");
    Skip();
    if (!Stage()) return std::nullopt;
    first = Piece{};
  }
  return first;
}

std::optional<Parser::Piece> Parser::Stage() {
  if (Next().kind == TokenKind::kWord &&
      (IsOneOf(Next().text, kStages) || IsOneOf(Next().text, kMetrics))) {
    auto call = Call();
    // A threshold on a metric, or its grouping: rate() by (.a) > 5.
    if (call && IsWord("by")) call = Call();
    if (!call || Next().kind != TokenKind::kOperator) return call;
    Skip();
    return Chain();
  }
  return Chain();
}

// term (('&&' | '||') term)*, from the left.
std::optional<Parser::Piece> Parser::Chain() {
  auto first = Term();
  while (first && (AtOperator("&&") || AtOperator("||"))) {
    const Token& token = Next();
    Skip();
    auto second = Term();
    if (!second) return std::nullopt;
    first = Join(token, *first, *second);
  }
  return first;
}

// Operands joined by what binds tighter: structural operators between spansets, comparisons and
// arithmetic of aggregates and metrics. Their precedence does not matter to a recogniser.
std::optional<Parser::Piece> Parser::Term() {
  auto first = Operand();
  while (first && Next().kind == TokenKind::kOperator && !AtOperator("&&") && !AtOperator("||")) {
    const Token& token = Next();
    bool known = IsOneOf(token.text, kStructural);
    for (const BinaryWord& word : kBinaryWords) known |= word.text == token.text;
    if (!known || token.text == "=~") {
      FailHere("unexpected", "");
      return std::nullopt;
    }
    Skip();
    auto second = Operand();
    if (!second) return std::nullopt;
    std::optional<Shape> shape = Combine(token, first->shape, second->shape);
    if (!shape) return std::nullopt;
    first = Piece{*shape};
  }
  return first;
}

// What an operator other than && and || gives, which is of a later release.
std::optional<Parser::Shape> Parser::Combine(const Token& token, Shape left, Shape right) {
  bool numbers = left == Shape::kNumber || right == Shape::kNumber;
  if (IsOneOf(token.text, kStructural) && !numbers) {
    Later(token.position, fmt::format("the structural operator {} between spansets", token.text));
    return Shape::kPipeline;
  }
  if (left == Shape::kSpanset || right == Shape::kSpanset) {
    Fail(token.position,
         numbers ? fmt::format("{} cannot stand between a spanset and a number", token.text)
                 : fmt::format("{} cannot stand between spansets", token.text),
         "conditions on spans stand between braces: { .a = 1 }");
    return std::nullopt;
  }
  Later(token.position, fmt::format("the operator {} between aggregates", token.text));
  bool arithmetic = std::ranges::any_of(kBinaryWords, [&](const BinaryWord& word) {
    return word.text == token.text && IsArithmetic(word.op);
  });
  return arithmetic && left == right ? left : Shape::kPipeline;
}

std::optional<Parser::Piece> Parser::Join(const Token& token, const Piece& left,
                                          const Piece& right) {
  if (left.shape == Shape::kNumber || right.shape == Shape::kNumber) {
    Fail(token.position, fmt::format("{} stands between spansets", token.text),
         "a spanset looks like { .http.status_code >= 500 }");
    return std::nullopt;
  }
  // The error that names the later release is there already.
  if (left.shape == Shape::kPipeline || right.shape == Shape::kPipeline) return Piece{};
  auto node = std::make_shared<Spanset>();
  node->kind = token.text == "&&" ? Spanset::Kind::kAnd : Spanset::Kind::kOr;
  node->position = token.position;
  node->height = std::max(left.spanset->height, right.spanset->height) + 1;
  node->left = left.spanset;
  node->right = right.spanset;
  if (node->height > kHeightMax) {
    Fail(token.position, fmt::format("more than {} operators in one chain", kHeightMax), "");
    return std::nullopt;
  }
  return Piece{Shape::kSpanset, std::move(node)};
}

std::optional<Parser::Piece> Parser::Operand() {
  if (AtPunctuation("{")) return Braces();
  if (AtPunctuation("(")) {
    Level level(this);
    if (!level.ok()) return std::nullopt;
    Skip();
    auto inner = Pipeline();
    if (!inner || !Expect(")", "at the end of the parentheses")) return std::nullopt;
    return inner;
  }
  if (AtOperator("-")) {
    Level level(this);
    if (!level.ok()) return std::nullopt;
    Position at = Next().position;
    Skip();
    auto inner = Operand();
    if (inner && inner->shape == Shape::kSpanset) {
      Fail(at, "- cannot stand before a spanset", "");
      return std::nullopt;
    }
    return inner;
  }
  if (Next().kind == TokenKind::kLiteral) {
    Skip();
    return Piece{Shape::kNumber};
  }
  if (Next().kind == TokenKind::kWord &&
      (IsOneOf(Next().text, kAggregates) || IsOneOf(Next().text, kMetrics)))
    return Call();
  FailHere("expected a spanset", "a query looks like { .http.status_code >= 500 }");
  return std::nullopt;
}

// name(arguments), of which nothing is evaluated yet.
std::optional<Parser::Piece> Parser::Call() {
  const Token& name = Next();
  Later(name.position, fmt::format("{}()", name.text));
  Skip();
  if (!Expect("(", fmt::format("after {}", name.text)) || !Arguments()) return std::nullopt;
  return Piece{IsOneOf(name.text, kAggregates) ? Shape::kNumber : Shape::kPipeline};
}

bool Parser::Arguments() {
  while (!AtPunctuation(")")) {
    if (AtPunctuation("{") ? !Braces().has_value() : ParseExpression(kLogicalLevel) == nullptr)
      return false;
    if (!AtPunctuation(",")) break;
    Skip();
  }
  return Expect(")", "at the end of the arguments");
}

// with(name=literal, ...): how a query may be run. Every answer is exact and newest first here, so
// a hint that is right changes nothing.
bool Parser::Hints() {
  Skip();
  if (!Expect("(", "after with")) return false;
  while (Next().kind == TokenKind::kWord) {
    const Token& name = Next();
    Skip();
    if (!AtOperator("=")) {
      FailHere("expected '=' after the name of a hint", "");
      return false;
    }
    Skip();
    Position value_at = Next().position;
    ExpressionPtr value = ParsePrefix();
    if (value == nullptr) return false;
    HintVerdict verdict = CheckHint(name.text, *value);
    if (!verdict.error.empty()) {
      Fail(verdict.of_value ? value_at : name.position, verdict.error, verdict.hint);
      return false;
    }
    if (!AtPunctuation(",")) break;
    Skip();
  }
  return Expect(")", "at the end of the hints");
}

std::optional<Parser::Piece> Parser::Braces() {
  auto spanset = std::make_shared<Spanset>();
  spanset->position = Next().position;
  Skip();
  if (AtPunctuation("}")) {
    Skip();
    return Piece{Shape::kSpanset, std::move(spanset)};
  }
  spanset->filter = ParseExpression(kLogicalLevel);
  if (spanset->filter == nullptr) return std::nullopt;
  if (!AtPunctuation("}")) {
    FailHere("expected an operator or '}'", OperatorHint(tokens_, at_));
    return std::nullopt;
  }
  TypeVerdict verdict = CheckFilter(*spanset->filter);
  if (!verdict.error.empty()) {
    Fail(spanset->filter->position, verdict.error, verdict.hint);
    return std::nullopt;
  }
  Skip();
  return Piece{Shape::kSpanset, std::move(spanset)};
}

ExpressionPtr Parser::ParseExpression(int level) {
  ExpressionPtr left = ParsePrefix();
  while (left != nullptr && (Next().kind == TokenKind::kOperator)) {
    const Token& token = Next();
    const BinaryWord* word = nullptr;
    for (const BinaryWord& candidate : kBinaryWords)
      if (candidate.text == token.text) word = &candidate;
    if (word == nullptr) {
      std::string hint = OperatorHint(tokens_, at_);
      if (hint.empty()) hint = "structural operators stand between spansets: {...} >> {...}";
      FailHere("unexpected", std::move(hint));
      return nullptr;
    }
    int own = Precedence(word->op);
    if (own < level) break;
    Skip();
    against_ = IsComparison(word->op) ? left.get() : nullptr;
    ExpressionPtr right;
    if (word->op == Operator::kPower) {
      Level deeper(this);
      if (!deeper.ok()) return nullptr;
      right = ParseExpression(own);
    } else {
      right = ParseExpression(own + 1);
    }
    if (right == nullptr) return nullptr;
    against_ = nullptr;
    left = Binary(token, word->op, std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr Parser::ParsePrefix() {
  const Token& token = Next();
  if (AtPunctuation("(")) {
    Level level(this);
    if (!level.ok()) return nullptr;
    Skip();
    against_ = nullptr;
    ExpressionPtr inner = ParseExpression(kLogicalLevel);
    if (inner == nullptr || !Expect(")", "at the end of the parentheses")) return nullptr;
    return inner;
  }
  if (AtOperator("!") || AtOperator("-")) {
    Level level(this);
    if (!level.ok()) return nullptr;
    Operator op = AtOperator("!") ? Operator::kNot : Operator::kNegate;
    Skip();
    ExpressionPtr operand = op == Operator::kNot ? ParseExpression(kProductLevel) : ParsePrefix();
    return operand == nullptr ? nullptr : Unary(token, op, std::move(operand));
  }
  if (token.kind == TokenKind::kLiteral) {
    Skip();
    return LiteralAt(token, token.literal);
  }
  if (token.kind == TokenKind::kField) {
    if (token.of_parent) Later(token.position, "the scope parent");
    Skip();
    return FieldAt(token, token.field);
  }
  if (token.kind == TokenKind::kWord) return ParseWord();
  FailHere("expected a field or a value", OperandHint(tokens_, at_));
  return nullptr;
}

ExpressionPtr Parser::ParseWord() {
  const Token& token = Next();
  if (std::optional<Literal> literal = LiteralOfWord(token.text)) {
    Skip();
    return LiteralAt(token, std::move(*literal));
  }
  for (const IntrinsicWord& word : IntrinsicWords()) {
    if (word.unscoped != token.text) continue;
    Skip();
    return FieldAt(token, Field{.intrinsic = word.intrinsic});
  }
  if (token.text == "parent") {
    Later(token.position, "the intrinsic parent");
    Skip();
    return FieldAt(token, Field{});
  }
  Fail(token.position, fmt::format("'{}' is not a field or a value", token.text),
       WordHint(tokens_, at_, against_));
  return nullptr;
}

ExpressionPtr Parser::LiteralAt(const Token& token, Literal literal) {
  auto e = std::make_shared<Expression>();
  e->kind = Expression::Kind::kLiteral;
  e->type = literal.type;
  e->position = token.position;
  e->literal = std::move(literal);
  return e;
}

ExpressionPtr Parser::FieldAt(const Token& token, Field field) {
  auto e = std::make_shared<Expression>();
  e->kind = Expression::Kind::kField;
  e->type = IntrinsicType(field.intrinsic);
  e->position = token.position;
  e->field = std::move(field);
  return e;
}

ExpressionPtr Parser::Unary(const Token& token, Operator op, ExpressionPtr operand) {
  TypeVerdict verdict = CheckUnary(op, *operand);
  if (!verdict.error.empty()) {
    Fail(token.position, verdict.error, verdict.hint);
    return nullptr;
  }
  bool literal = operand->kind == Expression::Kind::kLiteral;
  if (op == Operator::kNegate && literal &&
      operand->literal.integer != std::numeric_limits<int64_t>::min()) {
    Literal negated = operand->literal;
    negated.integer = -negated.integer;
    negated.real = -negated.real;
    return LiteralAt(token, std::move(negated));
  }
  auto e = std::make_shared<Expression>();
  e->kind = Expression::Kind::kUnary;
  e->type = verdict.type;
  e->position = token.position;
  e->height = operand->height + 1;
  e->op = op;
  e->left = std::move(operand);
  return e;
}

// A literal beside an id is read as one; null (with an error) where it is none.
ExpressionPtr Parser::IdLiteral(const Expression& field, ExpressionPtr literal) {
  bool is_id = field.kind == Expression::Kind::kField &&
               (IsTraceIdField(field.field) || IsSpanIdField(field.field));
  if (!is_id || literal->kind != Expression::Kind::kLiteral ||
      literal->literal.type != Type::kString)
    return literal;
  IdVerdict verdict = ReadIdLiteral(field.field, literal->literal.text);
  if (!verdict.error.empty()) {
    Fail(literal->position, verdict.error, verdict.hint);
    return nullptr;
  }
  auto id = std::make_shared<Expression>(*literal);
  id->literal.text = std::move(verdict.text);
  return id;
}

ExpressionPtr Parser::Binary(const Token& token, Operator op, ExpressionPtr left,
                             ExpressionPtr right) {
  if (IsComparison(op) && op != Operator::kRegex && op != Operator::kNotRegex) {
    right = IdLiteral(*left, std::move(right));
    if (right == nullptr) return nullptr;
    left = IdLiteral(*right, std::move(left));
    if (left == nullptr) return nullptr;
  }
  TypeVerdict verdict = CheckBinary(op, *left, *right);
  if (!verdict.error.empty()) {
    Fail(token.position, verdict.error, verdict.hint);
    return nullptr;
  }
  auto e = std::make_shared<Expression>();
  e->kind = Expression::Kind::kBinary;
  e->type = verdict.type;
  e->position = token.position;
  e->height = std::max(left->height, right->height) + 1;
  e->op = op;
  e->left = std::move(left);
  e->right = std::move(right);
  if (e->height > kHeightMax) {
    Fail(token.position, fmt::format("more than {} operators in one chain", kHeightMax), "");
    return nullptr;
  }
  return e;
}

}  // namespace

Result<Query> Parse(std::string_view text, Diagnostic* diagnostic) {
  auto fail = [&](ErrorCode code, Diagnostic what) {
    Error error = ToError(code, text, what);
    if (diagnostic != nullptr) *diagnostic = std::move(what);
    return weft::Fail(std::move(error));
  };
  if (text.size() > kTextBytesMax)
    return weft::Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("a query has at most {} bytes, this one has {}", kTextBytesMax, text.size()));
  auto tokens = Tokenize(text);
  if (!tokens) {
    LexError& error = tokens.error();
    return fail(ErrorCode::kInvalidArgument,
                {error.position, std::move(error.message), std::move(error.hint)});
  }
  Parser parser(std::move(*tokens));
  std::optional<Query> query = parser.Run();
  if (!query) return fail(ErrorCode::kInvalidArgument, parser.error());
  if (parser.later()) return fail(ErrorCode::kUnimplemented, *parser.later());
  return std::move(*query);
}

}  // namespace weft::traceql
