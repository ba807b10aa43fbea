//! Label selectors as people write them (`kubectl get -l`), such as `shard in (a,b),!legacy`.
//!
//! The grammar is that of apimachinery's `labels.Parse`: requirements with commas between them, all of which must hold.
//!
//! ```text
//! key            !key             the label is there, is not there
//! key = value    key == value     it has this value
//! key != value                    it has not, or is not there
//! key in (a,b)   key notin (a,b)  it has one of these; has none of them, or is not there
//! ```
//!
//! Nothing at all selects everything. `key > 1` and `key < 1`, which labels.Parse knows beside these, are refused: they
//! are no part of the selectors in Kubernetes' own objects.

use std::{collections::BTreeSet, iter::Peekable, vec};

use kube::core::{Expression, Selector};

use crate::names::{is_label_key, is_label_value};

/// What a text consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
}

/// All symbols; of two that begin alike the longer one comes first.
const SYMBOLS: [&str; 7] = ["==", "!=", "=", "!", "(", ")", ","];

/// Reads a selector; the error says what is wrong with it, and where.
pub fn parse(text: &str) -> Result<Selector, String> {
    let mut tokens = Tokens(tokens(text)?.into_iter().peekable());
    let mut selector = Selector::default();
    if tokens.at_end() {
        return Ok(selector);
    }
    loop {
        selector.extend(requirement(&mut tokens)?);
        if tokens.at_end() {
            return Ok(selector);
        }
        tokens.expect(",", "a comma or the end")?;
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '>' || first == '<' {
            return Err(format!(
                "{first} is not supported: select by in, notin, =, !=, key or !key"
            ));
        }
        let length = if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            tokens.push(Token::Symbol(symbol));
            symbol.len()
        } else {
            let ends = |c: char| c.is_whitespace() || "=!(),<>".contains(c);
            let length = rest.find(ends).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            length
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn requirement(tokens: &mut Tokens) -> Result<Expression, String> {
    if tokens.take("!") {
        return Ok(Expression::DoesNotExist(key(tokens)?));
    }
    let key = key(tokens)?;
    match tokens.0.peek() {
        None | Some(Token::Symbol(",")) => Ok(Expression::Exists(key)),
        Some(Token::Symbol("=" | "==")) => {
            tokens.0.next();
            Ok(Expression::Equal(key, value(tokens)?))
        }
        Some(Token::Symbol("!=")) => {
            tokens.0.next();
            Ok(Expression::NotEqual(key, value(tokens)?))
        }
        Some(Token::Word(word)) if word == "in" => {
            tokens.0.next();
            Ok(Expression::In(key, values(tokens)?))
        }
        Some(Token::Word(word)) if word == "notin" => {
            tokens.0.next();
            Ok(Expression::NotIn(key, values(tokens)?))
        }
        Some(_) => Err(tokens.unexpected("=, ==, !=, in, notin, a comma or the end")),
    }
}

fn key(tokens: &mut Tokens) -> Result<String, String> {
    let Some(Token::Word(word)) = tokens.0.next_if(|token| matches!(token, Token::Word(_))) else {
        return Err(tokens.unexpected("the key of a label"));
    };
    is_label_key(&word)
        .then_some(word.clone())
        .ok_or_else(|| format!("{word:?} cannot be the key of a label"))
}

/// One value; nothing is the empty one.
fn value(tokens: &mut Tokens) -> Result<String, String> {
    match tokens.0.peek() {
        None | Some(Token::Symbol(",")) => Ok(String::new()),
        Some(Token::Word(_)) => listed(tokens),
        Some(Token::Symbol(_)) => Err(tokens.unexpected("a value")),
    }
}

/// Values in parentheses, at least one.
fn values(tokens: &mut Tokens) -> Result<BTreeSet<String>, String> {
    tokens.expect("(", "( and values")?;
    if tokens.take(")") {
        return Err("() has no value".to_owned());
    }
    let mut values = BTreeSet::new();
    loop {
        values.insert(listed(tokens)?);
        if tokens.take(")") {
            return Ok(values);
        }
        tokens.expect(",", "a comma or )")?;
    }
}

/// The value that stands here; the empty one where none does.
fn listed(tokens: &mut Tokens) -> Result<String, String> {
    let Some(Token::Word(word)) = tokens.0.next_if(|token| matches!(token, Token::Word(_))) else {
        return Ok(String::new());
    };
    is_label_value(&word)
        .then_some(word.clone())
        .ok_or_else(|| format!("{word:?} cannot be the value of a label"))
}

/// What was not read yet.
struct Tokens(Peekable<vec::IntoIter<Token>>);

impl Tokens {
    fn at_end(&mut self) -> bool {
        self.0.peek().is_none()
    }

    fn take(&mut self, symbol: &'static str) -> bool {
        self.0.next_if_eq(&Token::Symbol(symbol)).is_some()
    }

    fn expect(&mut self, symbol: &'static str, described: &str) -> Result<(), String> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(described))
        }
    }

    fn unexpected(&mut self, expected: &str) -> String {
        let found = match self.0.peek() {
            None => "the end".to_owned(),
            Some(Token::Word(word)) => format!("{word:?}"),
            Some(Token::Symbol(symbol)) => format!("{symbol:?}"),
        };
        format!("{found} stands where {expected} is expected")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::core::SelectorExt;

    use super::*;

    /// The cases of apimachinery's `TestSelectorParse` and `TestParserLookahead`, and some more, as they are written anew.
    #[test]
    fn what_kubectl_takes_is_taken() {
        for (text, expected) in [
            ("", ""),
            ("  ", ""),
            ("x=a,y=b,z=c", "x=a,y=b,z=c"),
            ("x!=a,y=b", "x!=a,y=b"),
            ("x=,z= ", "x=,z="),
            ("x= ,z= ", "x=,z="),
            ("!x", "!x"),
            ("! x , y", "!x,y"),
            ("x", "x"),
            ("x==a", "x=a"),
            (" x = a ", "x=a"),
            ("pam-operator.dev/shard=a", "pam-operator.dev/shard=a"),
            ("!pam-operator.dev/shard", "!pam-operator.dev/shard"),
            ("x in (b, a ),y notin(c)", "x in (a,b),y notin (c)"),
            ("x in (,b)", "x in (,b)"),
            ("x in (a,)", "x in (,a)"),
            ("x in (a,,b)", "x in (,a,b)"),
            ("x in (,)", "x in ()"),
            ("in in (in,notin)", "in in (in,notin)"),
            ("notin", "notin"),
            ("x\tin\n(a)", "x in (a)"),
            ("x=in", "x=in"),
        ] {
            let parsed = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(parsed.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_refused_says_what_is_wrong() {
        for (text, expected) in [
            ("x=a||y=b", "\"a||y\" cannot be the value"),
            ("x==a==b", "\"==\" stands where a comma or the end is expected"),
            ("!x=a", "\"=\" stands where a comma or the end is expected"),
            ("x<1", "< is not supported"),
            ("x>1", "> is not supported"),
            ("x,", "the end stands where the key of a label is expected"),
            (",x", "\",\" stands where the key of a label is expected"),
            ("x,,y", "\",\" stands where the key of a label is expected"),
            ("x y", "\"y\" stands where =, ==, !=, in, notin"),
            ("x in", "the end stands where ( and values is expected"),
            ("x in a", "\"a\" stands where ( and values is expected"),
            ("x in ()", "() has no value"),
            ("x in (a", "the end stands where a comma or ) is expected"),
            ("x in (a b)", "\"b\" stands where a comma or ) is expected"),
            ("x in (a))", "\")\" stands where a comma or the end is expected"),
            ("x=(a)", "\"(\" stands where a value is expected"),
            ("x=!a", "\"!\" stands where a value is expected"),
            ("!!x", "\"!\" stands where the key of a label is expected"),
            ("!", "the end stands where the key of a label is expected"),
            ("=a", "\"=\" stands where the key of a label is expected"),
            ("a/b/c", "\"a/b/c\" cannot be the key"),
            ("-x", "\"-x\" cannot be the key"),
            ("x=-", "\"-\" cannot be the value"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn it_matches_as_the_api_server_would() {
        let labels = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let (none, a, empty) = (labels(&[]), labels(&[("shard", "a")]), labels(&[("shard", "")]));
        for (text, of_none, of_a, of_empty) in [
            ("", true, true, true),
            ("shard", false, true, true),
            ("!shard", true, false, false),
            ("shard=a", false, true, false),
            ("shard!=a", true, false, true),
            ("shard=", false, false, true),
            ("shard in (a,b)", false, true, false),
            ("shard notin (a,b)", true, false, true),
            ("shard,shard!=a", false, false, true),
        ] {
            let selector = parse(text).expect("a selector");
            let found = [&none, &a, &empty].map(|labels| selector.matches(labels));
            assert_eq!(found, [of_none, of_a, of_empty], "{text}");
        }
    }
}
