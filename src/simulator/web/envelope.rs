//! The envelopes around answers (contract 2.1).

use serde_json::{Map, Value, json};

use crate::simulator::{
    switches::{Behaviour, Envelope},
    vault::refusal::{self, Refusal},
};

/// A success with its payload, such as `credential` or `credentials`.
pub(crate) fn success(behaviour: &Behaviour, status: u16, message: &str, payload: Option<(&str, Value)>) -> Value {
    let mut answer = envelope(behaviour, status, message, 0);
    if let Some((key, value)) = payload {
        answer.insert(key.to_owned(), value);
    }
    Value::Object(answer)
}

/// A refusal.
pub(crate) fn failure(behaviour: &Behaviour, refusal: &Refusal) -> Value {
    let message = match refusal.code {
        1000.. => format!("{}: {}", refusal.code, refusal.message),
        _ => refusal.message.to_string(),
    };
    let detail = if *refusal == refusal::UNEXPECTED {
        "Check the index log system error for more details"
    } else {
        &message
    };
    let error_code = if *refusal == refusal::UNKNOWN_PATH { 4 } else { 1 };
    let mut answer = envelope(behaviour, refusal.status, &message, error_code);
    answer.insert(
        "exception".to_owned(),
        json!({"code": refusal.code, "message": detail, "detail": null}),
    );
    Value::Object(answer)
}

/// The part that both have in common. `error_code` is only a coarse flag: 0 for a success.
fn envelope(behaviour: &Behaviour, status: u16, message: &str, error_code: u8) -> Map<String, Value> {
    let error = error_code != 0;
    let mut answer = Map::new();
    if behaviour.envelope == Envelope::Old {
        let response =
            json!({"status": status, "mensagem": message, "erro": error, "message": message, "error": error});
        answer.insert("response".to_owned(), response);
        return answer;
    }
    answer.insert("code".to_owned(), status.into());
    let response = json!({
        "status": status, "message": message, "error": error, "error_code": error_code, "detail": "",
        "mensagem": message, "erro": error, "cod_erro": error_code,
    });
    answer.insert("response".to_owned(), response);
    if let Some(tenant) = &behaviour.tenant_label {
        answer.insert("tenant".to_owned(), tenant.as_str().into());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::switches::{Profile, Switches};

    /// The answer that the seeds print for a create.
    #[test]
    fn a_success_of_3_32_is_the_one_of_the_seeds() {
        let behaviour = Behaviour::new(Profile::V3_32, &Switches::default());
        let credential = json!({"id": "115", "identifier": "identifierjohn"});
        assert_eq!(
            success(
                &behaviour,
                201,
                "Credential successfully registered!",
                Some(("credential", credential))
            ),
            json!({
                "code": 201,
                "response": {
                    "status": 201, "message": "Credential successfully registered!", "error": false, "error_code": 0, "detail": "",
                    "mensagem": "Credential successfully registered!", "erro": false, "cod_erro": 0
                },
                "credential": {"id": "115", "identifier": "identifierjohn"}
            })
        );
    }

    #[test]
    fn a_business_error_of_4_0_has_the_code_three_times_and_the_tenant() {
        let behaviour = Behaviour::new(Profile::V4_0, &Switches::default());
        assert_eq!(
            failure(&behaviour, &refusal::NOT_FOUND),
            json!({
                "code": 400,
                "response": {
                    "status": 400, "message": "1007: Credential not found", "error": true, "error_code": 1, "detail": "",
                    "mensagem": "1007: Credential not found", "erro": true, "cod_erro": 1
                },
                "tenant": "Segura",
                "exception": {"code": 1007, "message": "1007: Credential not found", "detail": null}
            })
        );
    }

    #[test]
    fn the_old_envelope_has_neither_code_nor_error_code() {
        let switches = Switches {
            envelope: Some(Envelope::Old),
            ..Switches::default()
        };
        let behaviour = Behaviour::new(Profile::V3_32, &switches);
        let message = "1004: The device's hostname was not informed";
        assert_eq!(
            failure(&behaviour, &refusal::HOSTNAME_MISSING),
            json!({
                "response": {"status": 400, "mensagem": message, "erro": true, "message": message, "error": true},
                "exception": {"code": 1004, "message": message, "detail": null}
            })
        );
    }

    #[test]
    fn errors_without_a_code_of_their_own_repeat_the_status() {
        let behaviour = Behaviour::new(Profile::V3_32, &Switches::default());
        let unexpected = failure(&behaviour, &refusal::UNEXPECTED);
        assert_eq!(unexpected["response"]["message"], "Unexpected error");
        assert_eq!(unexpected["exception"]["code"], 500);
        assert_eq!(
            unexpected["exception"]["message"],
            "Check the index log system error for more details"
        );
        assert_eq!(failure(&behaviour, &refusal::UNKNOWN_PATH)["response"]["error_code"], 4);
    }
}
