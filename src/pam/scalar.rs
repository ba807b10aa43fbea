//! JSON scalars as text. Ids and codes are strings in one version of the PAM and numbers in another, flags likewise.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A JSON scalar as text; null, arrays and objects are empty.
#[derive(Default, Clone)]
pub(super) struct Scalar(String);

impl Scalar {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether a flag is set, as a boolean, a number or a string. The token server's `error` is a text, which sets it too.
    pub fn truthy(&self) -> bool {
        !matches!(self.0.as_str(), "" | "false" | "0")
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::new();
        ScalarInto(&mut text).deserialize(deserializer)?;
        Ok(Self(text))
    }
}

/// Reads a [`Scalar`] into a string that exists, so that a listing's entries share their buffers.
pub(super) struct ScalarInto<'a>(pub &'a mut String);

impl ScalarInto<'_> {
    fn set(self, text: impl fmt::Display) {
        write!(self.0, "{text}").expect("a String takes every text");
    }
}

impl<'de> DeserializeSeed<'de> for ScalarInto<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.clear();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.set(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.set(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.set(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // `1e308` written out has 309 digits: a listing of such numbers would need far more memory than it has bytes.
        if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
            self.set(value);
        } else {
            self.set(format_args!("{value:e}"));
        }
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.set(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
