//! Argo CD's way to run Lua: a fresh Lua 5.1 for every script, with the libraries base, table and package, `os.date` and
//! `os.time` behind `require("os")`, and an end to scripts that do not end.

use mlua::{
    Error, HookTriggers, Lua, LuaOptions, LuaSerdeExt, StdLib, Table, Value as LuaValue, VmState,
    serde::SerializeOptions,
};
use serde_json::{Map, Value};

use super::read;

/// Where the scripts are, in the layout of Argo CD's own repository.
pub const FOLDER: &str = "gitops/argocd/resource_customizations/pam-operator.dev/_";

/// Far more instructions than a script needs, and far fewer than Argo CD's second allows.
const INSTRUCTIONS: u32 = 100_000;

/// What `health.lua` says of an object: its status and its message.
pub fn health(object: &Value) -> (String, String) {
    let answer = run("health.lua", object);
    let text = |field: &str| {
        answer[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field}: {answer}"))
            .to_owned()
    };
    (text("status"), text("message"))
}

/// The actions that are offered for an object and not disabled, in alphabetical order.
pub fn offered(object: &Value) -> Vec<String> {
    let answer = run("actions/discovery.lua", object);
    let actions = answer.as_object().expect("actions by name");
    let enabled = actions.iter().filter(|(_, action)| action["disabled"] == false);
    let mut names: Vec<_> = enabled.map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

/// The object as an action returns it.
pub fn act(action: &str, object: &Value) -> Value {
    let mut returned = run(&format!("actions/{action}/action.lua"), object);
    restore_empty_maps(&mut returned, object);
    returned
}

/// Runs a script over an object and returns what it returns.
fn run(script: &str, object: &Value) -> Value {
    let file = format!("{FOLDER}/{script}");
    evaluate(&read(&file), object).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn evaluate(script: &str, object: &Value) -> Result<Value, Error> {
    let lua = Lua::new_with(StdLib::TABLE | StdLib::PACKAGE | StdLib::OS, LuaOptions::default())?;
    hide_os(&lua)?;
    let options = SerializeOptions::new()
        .set_array_metatable(false)
        .serialize_none_to_null(false)
        .serialize_unit_to_null(false);
    lua.globals().set("obj", lua.to_value_with(object, options)?)?;
    lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), |_, _| {
        Err::<VmState, _>(Error::runtime("the script does not come to an end"))
    })?;
    decode(lua.load(script).eval::<LuaValue>()?)
}

/// Leaves of `os` what Argo CD leaves of it, and where Argo CD puts it.
fn hide_os(lua: &Lua) -> Result<(), Error> {
    let os: Table = lua.globals().get("os")?;
    let safe = lua.create_table()?;
    for name in ["date", "time"] {
        safe.set(name, os.get::<LuaValue>(name)?)?;
    }
    let package: Table = lua.globals().get("package")?;
    package.get::<Table>("loaded")?.set("os", LuaValue::Nil)?;
    let loader = lua.create_function(move |_, ()| Ok(safe.clone()))?;
    package.get::<Table>("preload")?.set("os", loader)?;
    lua.globals().set("os", LuaValue::Nil)
}

/// JSON as Argo CD makes it of what a script returns: a table without string keys is a list, also when it is empty.
fn decode(value: LuaValue) -> Result<Value, Error> {
    Ok(match value {
        LuaValue::Nil => Value::Null,
        LuaValue::Boolean(value) => value.into(),
        LuaValue::Integer(value) => value.into(),
        LuaValue::Number(value) => value.into(),
        LuaValue::String(value) => value.to_str()?.to_owned().into(),
        LuaValue::Table(table) => decode_table(&table)?,
        other => return Err(Error::runtime(format!("{} is no JSON", other.type_name()))),
    })
}

fn decode_table(table: &Table) -> Result<Value, Error> {
    let mut fields = Map::new();
    for pair in table.pairs::<LuaValue, LuaValue>() {
        match pair? {
            (LuaValue::String(key), value) => fields.insert(key.to_str()?.to_owned(), decode(value)?),
            (_, _) => None,
        };
    }
    if !fields.is_empty() {
        return Ok(Value::Object(fields));
    }
    let items = table.sequence_values::<LuaValue>().map(|item| decode(item?));
    items.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// Argo CD takes an empty list for the empty map that was there before the script.
fn restore_empty_maps(returned: &mut Value, before: &Value) {
    match (returned, before) {
        (returned @ Value::Array(_), Value::Object(_)) if returned.as_array().is_some_and(Vec::is_empty) => {
            *returned = before.clone();
        }
        (Value::Object(returned), Value::Object(before)) => {
            for (field, value) in returned {
                restore_empty_maps(value, before.get(field).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(returned), Value::Array(before)) => {
            for (value, before) in returned.iter_mut().zip(before) {
                restore_empty_maps(value, before);
            }
        }
        _ => {}
    }
}

#[test]
fn scripts_have_no_more_than_argo_cd_gives_them() {
    let no_object = Value::Null;
    for hidden in ["os", "io", "string", "math", "debug", "jit"] {
        let answer = evaluate(&format!("return {hidden} == nil"), &no_object).expect("it runs");
        assert_eq!(answer, true, "{hidden}");
    }
    let answer = evaluate(
        "return {require('os').exit == nil, require('os').date('!%Y', 0)}",
        &no_object,
    );
    assert_eq!(answer.expect("it runs"), serde_json::json!([true, "1970"]));
    assert!(evaluate("return ('a'):upper()", &no_object).is_err());
    assert!(evaluate("while true do end", &no_object).is_err());
}
