//! Answers and the errors they are: number before text before status.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use crate::pam::classify::{Call, classify};
use crate::pam::{Class, Error, Outcome};

fn refusal(call: Call, status: u16, body: &str) -> Error {
    let status = StatusCode::from_u16(status).expect("a status");
    classify(call, status, &HeaderMap::new(), body.as_bytes())
        .err()
        .expect("a refusal")
}

/// The envelope of 3.3x and 4.x, as it refuses.
fn modern(status: u16, code: u16, message: &str) -> Value {
    json!({
        "code": status,
        "response": {"status": status, "message": message, "error": true, "error_code": 1, "detail": "",
                     "mensagem": message, "erro": true, "cod_erro": 1},
        "exception": {"code": code, "message": message, "detail": null}
    })
}

#[test]
fn every_number_has_its_reaction() {
    let cases = [
        (1004, Class::InvalidDevice),
        (1005, Class::InvalidDevice),
        (1007, Class::CredentialNotFound),
        (1008, Class::AlreadyInactive),
        (1009, Class::NoAccessToCredential),
        (1010, Class::Rejected),
        (1011, Class::DeviceNotFound),
        (1029, Class::DomainNotFound),
        (1039, Class::NoWritePermission),
        (1042, Class::InvalidUsername),
        (1043, Class::AlreadyActive),
        (1046, Class::PluginNotFound),
        (1047, Class::TemplateNotFound),
        (1052, Class::DuplicateCredential),
        (1053, Class::InvalidIdentifier),
        (1000, Class::Rejected),
        (4711, Class::Rejected),
        (9999, Class::Rejected),
    ];
    for (code, class) in cases {
        let message = format!("{code}: some text");
        let bodies = [
            modern(400, code, "some text"),
            modern(400, code, &message),
            modern(400, 400, &message),
            json!({"response": {"status": 400, "error": true}, "exception": {"code": code.to_string()}}),
            json!({"response": {"status": 400, "error": true, "message": message}}),
            json!({"response": {"status": 400, "erro": true, "mensagem": format!("{code}:some text")}}),
        ];
        for (body, status) in bodies.iter().flat_map(|body| [(body, 400), (body, 500), (body, 200)]) {
            let error = refusal(Call::Post, status, &body.to_string());
            assert_eq!((error.class, error.code), (class, Some(code)), "{body}");
            assert_eq!(
                (error.status, error.outcome),
                (Some(status), Outcome::NotExecuted),
                "{body}"
            );
        }
    }
}

#[test]
fn a_number_may_depend_on_the_direction() {
    for (call, code, class) in [
        (Call::Deactivate, 1008, Class::AlreadyInactive),
        (Call::Deactivate, 1017, Class::AlreadyInactive),
        (Call::Reactivate, 1017, Class::AlreadyActive),
        (Call::Reactivate, 1043, Class::AlreadyActive),
        (Call::Post, 1017, Class::AlreadyInactive),
    ] {
        assert_eq!(
            refusal(call, 400, &modern(400, code, "x").to_string()).class,
            class,
            "{call:?} {code}"
        );
    }
}

/// The answer of the PAM or of its gateway with this text, in each of its forms.
fn with_text(status: u16, text: &str) -> [Error; 3] {
    let bodies = [
        json!({"message": text}),
        json!({"response": {"status": status, "message": text, "error": true}}),
        json!({"response": {"status": status, "mensagem": text, "erro": true}}),
    ];
    bodies.map(|body| refusal(Call::Post, status, &body.to_string()))
}

/// Pairs of status and text.
type Answers = &'static [(u16, &'static str)];

#[test]
fn texts_without_a_number() {
    use Outcome::{NotExecuted, Unknown};
    let cases: [(Class, Outcome, Answers); 8] = [
        (
            Class::AuthenticationFailed,
            NotExecuted,
            &[(401, "Client authentication failed"), (403, "Invalid signature.")],
        ),
        (
            Class::ApiNotFound,
            NotExecuted,
            &[
                (404, "Resource sub not found"),
                (404, "Resource/sub-resource not found"),
            ],
        ),
        (
            Class::ApiNotFound,
            NotExecuted,
            &[(404, "No route matched with those values"), (404, "no Route matched.")],
        ),
        (
            Class::Forbidden,
            NotExecuted,
            &[(500, "You are not authorized to access this resource.")],
        ),
        (
            Class::NoAccessToCredential,
            NotExecuted,
            &[
                (400, "No access to credential"),
                (400, "Sua autorização não possui acesso à credencial."),
            ],
        ),
        (
            Class::NoWritePermission,
            NotExecuted,
            &[(400, "Without PAM Configuration Access permission")],
        ),
        (
            Class::InternalError,
            Unknown,
            &[(500, "Unexpected error"), (400, "UNEXPECTED ERROR")],
        ),
        (
            Class::Unavailable,
            Unknown,
            &[(504, "Request timed out"), (500, " request timed out. ")],
        ),
    ];
    for (class, outcome, answers) in cases {
        for error in answers.iter().flat_map(|(status, text)| with_text(*status, text)) {
            assert_eq!(
                (error.class, error.outcome, error.code),
                (class, outcome, None),
                "{answers:?}"
            );
        }
    }
}

#[test]
fn a_new_token_may_help() {
    for (status, text, helps) in [
        (404, "No route matched with those values", true),
        (400, "Invalid signature", true),
        (401, "Client authentication failed", true),
        (401, "", true),
        (403, "You are not authorized to access this resource.", true),
        (403, "1039: Without PAM Configuration Access permission", false),
        (401, "1009: No access to credential", false),
        (500, "You are not authorized to access this resource.", false),
        (404, "Resource sub not found", false),
        (400, "", false),
    ] {
        for error in with_text(status, text) {
            assert_eq!(error.token_rejected, helps, "{status} {text}");
        }
    }
}

#[test]
fn json_that_says_nothing_known_goes_by_status() {
    use Outcome::{NotExecuted, Unknown};
    for (status, class, outcome) in [
        (400, Class::Rejected, NotExecuted),
        (401, Class::AuthenticationFailed, NotExecuted),
        (403, Class::Forbidden, NotExecuted),
        (404, Class::ApiNotFound, NotExecuted),
        (405, Class::Rejected, NotExecuted),
        (408, Class::Unavailable, Unknown),
        (422, Class::Rejected, NotExecuted),
        (429, Class::RateLimited, NotExecuted),
        (500, Class::InternalError, Unknown),
        (501, Class::InternalError, Unknown),
        (502, Class::Unavailable, Unknown),
        (503, Class::Unavailable, NotExecuted),
        (504, Class::Unavailable, Unknown),
    ] {
        let envelope = json!({"response": {"status": status, "message": "Etwas", "error": true}}).to_string();
        for body in [envelope.as_str(), "{}", r#"{"message": 7}"#] {
            let error = refusal(Call::Post, status, body);
            assert_eq!(
                (error.class, error.outcome, error.code),
                (class, outcome, None),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn success_that_calls_itself_an_error_is_none() {
    for flag in [json!(true), json!("true"), json!(1), json!("1")] {
        for key in ["error", "erro"] {
            let body = json!({"response": {"status": 400, "message": "Etwas", key: flag}}).to_string();
            let error = refusal(Call::Post, 200, &body);
            assert_eq!(
                (error.class, error.outcome),
                (Class::Rejected, Outcome::NotExecuted),
                "{body}"
            );
        }
    }
    let silent = refusal(Call::Post, 200, r#"{"response": {"error": true}}"#);
    assert_eq!((silent.class, silent.outcome), (Class::Rejected, Outcome::Unknown));
    let internal = refusal(Call::Post, 201, r#"{"response": {"status": 500, "error": true}}"#);
    assert_eq!(
        (internal.class, internal.outcome, internal.status),
        (Class::InternalError, Outcome::Unknown, Some(201))
    );
}

#[test]
fn success_is_an_envelope_without_error() {
    for flag in [json!(false), json!(0), json!("0"), json!("false"), json!(null)] {
        let body = json!({"response": {"status": 201, "message": "ok", "error": flag, "erro": flag}}).to_string();
        assert!(
            classify(Call::Post, StatusCode::OK, &HeaderMap::new(), body.as_bytes()).is_ok(),
            "{body}"
        );
    }
    for body in [
        r#"{"credential": {"id": "1"}}"#,
        r#"{"response": []}"#,
        r#"{"response": {}}"#,
        "[]",
        "{}",
    ] {
        let error = refusal(Call::Post, 200, body);
        assert_eq!(
            (error.class, error.outcome),
            (Class::InvalidResponse, Outcome::Unknown),
            "{body}"
        );
    }
}

#[test]
fn what_is_not_json_is_not_the_pam() {
    use Outcome::{NotExecuted, Unknown};
    let truncated = r#"{"response": {"status": 201, "error": fal"#;
    for body in [
        "<html>log in</html>",
        "",
        truncated,
        "null",
        "\"1011: Device not found\"",
    ] {
        for (status, class, outcome) in [
            (200, Class::InvalidResponse, Unknown),
            (201, Class::InvalidResponse, Unknown),
            (302, Class::InvalidResponse, NotExecuted),
            (400, Class::InvalidResponse, NotExecuted),
            (404, Class::InvalidResponse, NotExecuted),
            (500, Class::InvalidResponse, Unknown),
            (401, Class::AuthenticationFailed, NotExecuted),
            (403, Class::Forbidden, NotExecuted),
            (429, Class::RateLimited, NotExecuted),
            (502, Class::Unavailable, Unknown),
            (503, Class::Unavailable, NotExecuted),
            (504, Class::Unavailable, Unknown),
        ] {
            let error = refusal(Call::Post, status, body);
            assert_eq!(
                (error.class, error.outcome, error.status),
                (class, outcome, Some(status)),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn a_redirect_is_never_an_answer() {
    let body = json!({"response": {"status": 201, "error": false}, "credential": {"id": "1"}}).to_string();
    let error = refusal(Call::Post, 307, &body);
    assert_eq!(
        (error.class, error.outcome),
        (Class::InvalidResponse, Outcome::NotExecuted)
    );
}

#[test]
fn the_token_server_has_its_own_words() {
    let league = r#"{"error":"invalid_client","error_description":"Client authentication failed","message":"x"}"#;
    let hint = r#"{"error":"invalid_request","hint":"Check the `tenant` parameter"}"#;
    for (status, body) in [
        (401, league),
        (400, league),
        (200, league),
        (400, hint),
        (400, "{}"),
        (401, ""),
    ] {
        assert_eq!(
            refusal(Call::Token, status, body).class,
            Class::AuthenticationFailed,
            "{status} {body}"
        );
    }
    assert_eq!(refusal(Call::Token, 400, "<html>").class, Class::InvalidResponse);
}

#[test]
fn retry_after_in_seconds_and_as_a_date() {
    let wait = |text: &str| {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).expect("a header"))]);
        classify(Call::Post, StatusCode::TOO_MANY_REQUESTS, &headers, b"{}")
            .err()
            .expect("an error")
            .retry_after
    };
    let day = Duration::from_hours(24);
    assert_eq!(wait("120"), Some(Duration::from_mins(2)));
    assert_eq!(wait(" 0 "), Some(Duration::ZERO));
    for huge in ["18446744073709551615", "99999999999999999999"] {
        assert_eq!(wait(huge), Some(day));
    }
    assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
    let ahead = wait(&httpdate::fmt_http_date(SystemTime::now() + Duration::from_hours(1))).expect("a wait");
    assert!((3500..=3600).contains(&ahead.as_secs()), "{ahead:?}");
    assert_eq!(wait(&httpdate::fmt_http_date(SystemTime::now() + 300 * day)), Some(day));
    for text in ["", "soon", "-1", "1.5"] {
        assert_eq!(wait(text), None, "{text}");
    }
}

#[test]
fn an_error_has_our_words_only() {
    let canary = "c4n4ry";
    for body in [
        modern(400, 1011, canary),
        modern(500, 500, canary),
        json!({"error": canary, "message": canary}),
    ] {
        for status in [200, 400, 401, 404, 500, 503] {
            let error = refusal(Call::Post, status, &body.to_string());
            assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
        }
    }
    let error = refusal(
        Call::Post,
        400,
        &modern(400, 1011, "1011: Device not found").to_string(),
    );
    assert_eq!(
        error.to_string(),
        "the PAM has no active device with this hostname and ip (code 1011, HTTP 400)"
    );
    let error = refusal(Call::Post, 302, "");
    assert_eq!(
        error.to_string(),
        "the answer is not one of a PAM: a redirect, which is never followed (HTTP 302)"
    );
}
