//! Text for the cells of a Markdown table.

use std::fmt::Write;

/// A table: the heads, then the rows.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(N));
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).expect("writing to a string cannot fail");
    }
    text
}

/// Prose in a cell: what is not in backticks cannot be taken for HTML, and no bar ends the cell.
pub(super) fn prose(text: &str) -> String {
    let parts = text.split_inclusive('`').scan(false, |code, part| {
        let inside = *code;
        if part.ends_with('`') {
            *code = !*code;
        }
        Some(if inside {
            part.to_owned()
        } else {
            part.replace('<', "&lt;")
        })
    });
    let text: String = parts.collect();
    text.replace('|', "\\|")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Code in a cell.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// Codes in a cell, separated by commas.
pub(super) fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

#[test]
fn cells_hold_what_would_break_a_table() {
    assert_eq!(prose("a <b> | `c<d>`\n  e"), "a &lt;b> \\| `c<d>` e");
    assert_eq!(code("a|b"), "`a\\|b`");
    assert_eq!(
        table(["x", "y"], [["1".into(), "2".into()]]),
        "| x | y |\n| --- | --- |\n| 1 | 2 |\n"
    );
}
