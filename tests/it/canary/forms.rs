//! The forms in which a secret could be told.

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

/// The text itself, in hexadecimal digits, and in base64 wherever it begins in what was encoded.
pub(super) fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let mut forms = vec![secret.to_owned(), HEXLOWER.encode(bytes), HEXUPPER.encode(bytes)];
    for before in 0..3 {
        let shifted = [&vec![0; before], bytes].concat();
        // Six bits make a character; those at either end also depend on the neighbours.
        let (first, last) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        for encoding in [BASE64, BASE64URL] {
            forms.push(encoding.encode(&shifted)[first..last].to_owned());
        }
    }
    forms
}

#[test]
fn a_secret_is_found_in_whatever_it_was_encoded_with() {
    let secret = "canary?>secret";
    for text in ["{}", "x{}", "xy{}", "xyz{}y", "operator:{}"] {
        let text = text.replace("{}", secret);
        let encoded = [
            text.clone(),
            HEXLOWER.encode(text.as_bytes()),
            BASE64.encode(text.as_bytes()),
            BASE64URL.encode(text.as_bytes()),
        ];
        for encoded in encoded {
            assert!(forms(secret).iter().any(|form| encoded.contains(form)), "{encoded}");
        }
    }
}
