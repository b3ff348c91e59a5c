// The search for well-known mistakes in parameter lists, of functions and of lambdas.
//
// Rules have the names and the order of the grammar's. A rule gives false for "no match", with the position kept, and
// for a mistake that it reported (then the parser's hard_error_ is set).
#include "Interpreter/compiler/parser_state.h"

namespace pyston {

using namespace ast;

class ParameterDiagnosis {
 public:
  ParameterDiagnosis(Parser& parser, bool is_lambda)
      : p_(parser), is_lambda_(is_lambda), closer_(is_lambda ? Tok::kColon : Tok::kRightParen) {}

  /// False: reported.
  bool run() {
    const Parser::Checkpoint start = p_.checkpoint();
    for (Rule mistake : {&ParameterDiagnosis::non_default_after_default, &ParameterDiagnosis::parenthesised,
                         &ParameterDiagnosis::nothing_before_slash, &ParameterDiagnosis::second_slash,
                         &ParameterDiagnosis::slash_after_star, &ParameterDiagnosis::no_comma_after_slash}) {
      (this->*mistake)();
      if (p_.hard_error_) return false;
      p_.back_to(start);
    }
    skip_positional();
    star_etc();
    return !p_.hard_error_;
  }

 private:
  using Rule = bool (ParameterDiagnosis::*)();

  bool attempt(Rule rule) {
    const Parser::Checkpoint before = p_.checkpoint();
    if ((this->*rule)() && !p_.hard_error_) return true;
    if (!p_.hard_error_) p_.back_to(before);
    return false;
  }
  bool many(Rule rule) {  // none is fine too
    while (attempt(rule)) {
    }
    return !p_.hard_error_;
  }
  bool at_least_one(Rule rule) { return attempt(rule) && many(rule); }
  bool report(const Position& first, const Position& last, const char* message) {
    if (!p_.hard_error_) p_.raise_range(first, last, "%s", message);
    return false;
  }
  bool report_here(const char* message) {  // at the next token
    const Position where = position_of(p_.tokens_[p_.mark_]);
    return report(where, where, message);
  }

  // --- the grammar of parameters
  enum class Annotation { kPlain, kStarred };
  bool name() { return name(Annotation::kPlain); }
  bool name(Annotation annotation) {
    const Parser::Checkpoint before = p_.checkpoint();
    if (Arg* arg = p_.parameter(is_lambda_, annotation == Annotation::kStarred)) {
      where_ = arg->position;
      return true;
    }
    if (p_.hard_error_) return false;
    p_.back_to(before);
    if (annotation == Annotation::kStarred || !p_.at(Tok::kName)) return false;
    where_ = position_of(p_.tokens_[p_.mark_++]);  // a name with something else than an annotation after its colon
    return true;
  }
  bool separator() {
    const bool comma = p_.accept(Tok::kComma);
    if (!is_lambda_) p_.accept(Tok::kTypeComment);
    return comma || p_.at(closer_);
  }
  bool default_value() {
    if (!p_.at(Tok::kEqual)) return false;
    const int equals = p_.mark_++;
    const Parser::Checkpoint after = p_.checkpoint();
    if (p_.expression() != nullptr) return true;
    if (p_.hard_error_) return false;
    p_.back_to(after);
    if (!p_.at(Tok::kRightParen) && !p_.at(Tok::kComma)) return false;
    const Position where = position_of(p_.tokens_[equals]);
    return report(where, where, "expected default value expression");
  }
  bool no_default() { return name() && separator(); }
  bool star_annotated() { return name(Annotation::kStarred) && separator(); }
  bool with_default() { return name() && default_value() && separator(); }
  bool maybe_default() {
    if (!name()) return false;
    attempt(&ParameterDiagnosis::default_value);
    return !p_.hard_error_ && separator();
  }
  bool slash_end() { return p_.accept(Tok::kSlash) && (p_.accept(Tok::kComma) || p_.at(closer_)); }
  bool slash_no_default() { return at_least_one(&ParameterDiagnosis::no_default) && slash_end(); }
  bool slash_with_default() {
    return many(&ParameterDiagnosis::no_default) && at_least_one(&ParameterDiagnosis::with_default) && slash_end();
  }
  bool slash() {
    return attempt(&ParameterDiagnosis::slash_no_default) ||
           (!p_.hard_error_ && attempt(&ParameterDiagnosis::slash_with_default));
  }
  bool no_default_or_comma() {
    return p_.accept(Tok::kComma) || (!p_.hard_error_ && attempt(&ParameterDiagnosis::no_default));
  }
  void skip_positional() {
    if (attempt(&ParameterDiagnosis::slash_no_default)) {
      many(&ParameterDiagnosis::no_default);
      many(&ParameterDiagnosis::with_default);
    } else if (!p_.hard_error_ && attempt(&ParameterDiagnosis::slash_with_default)) {
      many(&ParameterDiagnosis::with_default);
    } else if (!p_.hard_error_) {
      many(&ParameterDiagnosis::no_default);
      many(&ParameterDiagnosis::with_default);
    }
  }

  // --- what goes wrong before the first star
  bool non_default_after_default() {
    if (!many(&ParameterDiagnosis::no_default)) return false;
    if (!attempt(&ParameterDiagnosis::slash_with_default)) {
      if (p_.hard_error_ || !at_least_one(&ParameterDiagnosis::with_default)) return false;
    }
    return no_default() && report(where_, where_, "non-default argument follows default argument");
  }
  bool parenthesised() {
    if (!many(&ParameterDiagnosis::no_default) || !p_.at(Tok::kLeftParen)) return false;
    const Position opening = position_of(p_.tokens_[p_.mark_++]);
    if (is_lambda_) {
      if (!name()) return false;
      for (;;) {
        const Parser::Checkpoint before = p_.checkpoint();
        if (p_.accept(Tok::kComma) && name()) continue;
        p_.back_to(before);
        break;
      }
    } else if (!at_least_one(&ParameterDiagnosis::no_default)) {
      return false;
    }
    p_.accept(Tok::kComma);
    return p_.at(Tok::kRightParen) &&
           report(opening, position_of(p_.tokens_[p_.mark_]),
                  is_lambda_ ? "Lambda expression parameters cannot be parenthesized"
                             : "Function parameters cannot be parenthesized");
  }
  bool nothing_before_slash() {
    return p_.at(Tok::kSlash) && p_.kind_after() == Tok::kComma &&
           report_here("at least one argument must precede /");
  }
  bool second_slash() {
    return slash() && many(&ParameterDiagnosis::maybe_default) && p_.at(Tok::kSlash) &&
           report_here("/ may appear only once");
  }
  bool slash_after_star() {
    slash();
    return many(&ParameterDiagnosis::maybe_default) && p_.accept(Tok::kStar) && no_default_or_comma() &&
           many(&ParameterDiagnosis::maybe_default) && p_.at(Tok::kSlash) && report_here("/ must be ahead of *");
  }
  bool no_comma_after_slash() {
    return at_least_one(&ParameterDiagnosis::maybe_default) && p_.accept(Tok::kSlash) && p_.at(Tok::kStar) &&
           report_here("expected comma between / and *");
  }

  // --- from the first star on
  void star_etc() {
    if (p_.hard_error_) return;
    if (!p_.at(Tok::kStar)) return keywords();
    const Parser::Checkpoint start = p_.checkpoint();
    for (Rule mistake : {&ParameterDiagnosis::nothing_after_star, &ParameterDiagnosis::star_with_default,
                         &ParameterDiagnosis::second_star}) {
      (this->*mistake)();
      if (p_.hard_error_) return;
      p_.back_to(start);
    }
    p_.advance();
    const bool plain = attempt(&ParameterDiagnosis::no_default);
    if (plain || (!p_.hard_error_ && !is_lambda_ && attempt(&ParameterDiagnosis::star_annotated))) {
      if (many(&ParameterDiagnosis::maybe_default)) keywords();
    } else if (!p_.hard_error_ && p_.accept(Tok::kComma) && at_least_one(&ParameterDiagnosis::maybe_default)) {
      keywords();
    }
  }
  bool nothing_after_star() {
    const Position star = position_of(p_.tokens_[p_.mark_++]);
    const bool bare = p_.at(closer_) ||
                      (p_.accept(Tok::kComma) && (p_.at(closer_) || p_.at(Tok::kDoubleStar)));
    if (bare) {
      if (is_lambda_) p_.syntax_error("named arguments must follow bare *");
      else report(star, star, "named arguments must follow bare *");
    } else if (!is_lambda_ && p_.tokens_[p_.mark_ - 1].type == Tok::kComma && p_.at(Tok::kTypeComment) && !p_.hard_error_) {
      p_.syntax_error("bare * has associated type comment");
    }
    return false;
  }
  bool star_with_default() {
    p_.advance();
    return name() && p_.at(Tok::kEqual) && report_here("var-positional argument cannot have default value");
  }
  bool second_star() {
    p_.advance();
    if (!no_default_or_comma() || !many(&ParameterDiagnosis::maybe_default) || !p_.at(Tok::kStar)) return false;
    const Position star = position_of(p_.tokens_[p_.mark_++]);
    return no_default_or_comma() && report(star, star, "* argument may appear only once");
  }
  void keywords() {
    if (p_.hard_error_ || !p_.accept(Tok::kDoubleStar) || !name()) return;
    if (p_.at(Tok::kEqual)) {
      report_here("var-keyword argument cannot have default value");
      return;
    }
    if (!p_.accept(Tok::kComma)) return;
    if (attempt(&ParameterDiagnosis::name)) {
      report(where_, where_, "arguments cannot follow var-keyword argument");
    } else if (!p_.hard_error_ && (p_.at(Tok::kStar) || p_.at(Tok::kDoubleStar) || p_.at(Tok::kSlash))) {
      report_here("arguments cannot follow var-keyword argument");
    }
  }

  Parser& p_;
  const bool is_lambda_;
  const Tok closer_;
  Position where_;  // of the last parameter
};

bool Parser::diagnose_parameters(bool is_lambda) {
  Retreat retreat(*this);
  return ParameterDiagnosis(*this, is_lambda).run();
}

}  // namespace pyston
