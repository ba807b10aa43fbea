//! Durations as people write them in manifests: `30s`, `10m`, `1h30m` (the syntax of Go, which Kubernetes uses
//! throughout).

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DurationError {
    /// The text does not follow the syntax, or is too large to count.
    #[error("not a duration such as 30s, 10m or 1h30m")]
    Syntax,
    /// The duration is outside of its bounds.
    #[error("not between {min:?} and {max:?}")]
    OutOfBounds {
        /// The shortest accepted duration.
        min: Duration,
        /// The longest accepted duration.
        max: Duration,
    },
}

/// Reads a sequence of whole numbers with the units `h`, `m`, `s` and `ms`, and checks that its sum is from `min` to
/// `max`.
///
/// The API server has checked the same (the rules of the connection's schema); this is for objects that were stored
/// before a rule existed.
pub fn parse_duration(text: &str, min: Duration, max: Duration) -> Result<Duration, DurationError> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (length, after) = leading_component(rest).ok_or(DurationError::Syntax)?;
        total = total.checked_add(length).ok_or(DurationError::Syntax)?;
        rest = after;
    }
    if text.is_empty() {
        Err(DurationError::Syntax)
    } else if total < min || total > max {
        Err(DurationError::OutOfBounds { min, max })
    } else {
        Ok(total)
    }
}

/// The first number with its unit, and what follows it.
fn leading_component(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    let (unit, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
    let milliseconds = match unit {
        "h" => 3_600_000,
        "m" => 60_000,
        "s" => 1_000,
        "ms" => 1,
        _ => return None,
    };
    Some((Duration::from_millis(number.checked_mul(milliseconds)?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_hours(24);

    fn parse(text: &str) -> Result<Duration, DurationError> {
        parse_duration(text, SECOND, DAY)
    }

    #[test]
    fn accepts_what_people_write() {
        for (text, seconds) in [
            ("30s", 30),
            ("10m", 600),
            ("1h30m", 5400),
            ("24h", 86_400),
            ("1000ms", 1),
            ("90m", 5400),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("1s500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn refuses_other_syntax() {
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "1.5h",
            "1 h",
            "1d",
            "10S",
            "ten",
            "18446744073709551615h",
            "99999999999999999999s",
        ] {
            assert_eq!(parse(text), Err(DurationError::Syntax), "{text}");
        }
    }

    #[test]
    fn keeps_the_bounds_inclusive() {
        assert_eq!(parse("1s"), Ok(SECOND));
        assert_eq!(parse("24h"), Ok(DAY));
        for text in ["0s", "999ms", "24h1ms", "25h"] {
            assert_eq!(
                parse(text),
                Err(DurationError::OutOfBounds { min: SECOND, max: DAY }),
                "{text}"
            );
        }
    }
}
