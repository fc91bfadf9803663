//! The README says what the program says: its table of keys is the table of commands.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::fmt::Write;

use deckwatch::app::command::GROUPS;
use deckwatch::app::keymap::Keymap;

const README: &str = include_str!("../../README.md");
const BEGIN: &str = "<!-- keys -->\n";
const END: &str = "<!-- /keys -->";

fn table() -> String {
    let mut table = String::new();
    for (heading, commands) in GROUPS {
        writeln!(
            table,
            "\n**{heading}**\n\n| keys | what they do |\n|---|---|"
        )
        .unwrap();
        for command in commands {
            let keys: Vec<String> = Keymap::default()
                .shown(command)
                .iter()
                .map(|keys| format!("`{keys}`"))
                .collect();
            let keys = if keys.is_empty() {
                format!("`:{}`", command.name)
            } else {
                keys.join(" ")
            };
            writeln!(table, "| {} | {} |", keys.replace('|', "\\|"), command.help).unwrap();
        }
    }
    table.push('\n');
    table
}

#[test]
fn the_table_of_keys_is_the_table_of_commands() {
    let written = README
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map(|(table, _)| table);
    assert_eq!(
        written,
        Some(table().as_str()),
        "put this between the marks of README.md:\n{}",
        table()
    );
}

#[test]
fn the_gate_runs_the_readmes_test_command() {
    let gate = include_str!("../../.ci/run");
    assert!(README.contains("\n    cargo test\n") && gate.contains(" cargo test\n"));
}
