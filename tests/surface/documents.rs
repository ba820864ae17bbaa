//! What is written of the inputs in `action.yml` and in the README, made of the one list.

use spacekeeper::config::{Input, Unset};

/// Lines of `action.yml` are no longer.
const WIDEST: usize = 120;

/// The section `inputs:` of `action.yml`, up to the next.
pub(super) fn inputs_of_the_action() -> String {
    let entries: String = Input::ALL.iter().map(entry).collect();
    format!("inputs:\n{entries}\n")
}

/// The rows of the table in the README.
pub(super) fn rows_of_the_readme() -> String {
    Input::ALL.iter().map(row).collect()
}

/// A text with the part between two marks replaced, the marks kept.
#[track_caller]
pub(super) fn with_part(text: &str, from: &str, to: &str, part: &str) -> String {
    let start = text.find(from).unwrap_or_else(|| panic!("there is no {from:?}"));
    let end = start
        + text[start..]
            .find(to)
            .unwrap_or_else(|| panic!("there is no {to:?}"));
    [&text[..start], part, &text[end..]].concat()
}

fn entry(input: &Input) -> String {
    let Input { name, about, .. } = input;
    let description = match input.unset {
        Unset::Words(words) => format!("{about}. Unset: {words}."),
        Unset::Default(_) | Unset::Nothing => format!("{about}."),
    };
    let default = input.default().map_or(String::new(), |value| match value {
        "true" | "false" => format!("    default: \"{value}\"\n"),
        _ => format!("    default: {value}\n"),
    });
    format!("  {name}:\n    description: {}\n{default}", scalar(&description))
}

/// A YAML scalar: as it stands where that is short and can mean nothing else, and folded otherwise.
fn scalar(text: &str) -> String {
    const INDENT: &str = "      ";
    let plain =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && !text.contains(": ") && !text.contains(" #");
    if plain && text.len() + "    description: ".len() <= WIDEST {
        return text.to_owned();
    }
    let mut folded = String::from(">-");
    let mut room = 0;
    for word in text.split(' ') {
        if room < word.chars().count() + 1 {
            folded += "\n";
            folded += INDENT;
            room = WIDEST - INDENT.len();
        } else {
            folded += " ";
            room -= 1;
        }
        folded += word;
        room = room.saturating_sub(word.chars().count());
    }
    folded
}

fn row(input: &Input) -> String {
    let default = match input.unset {
        Unset::Default(value) => format!("`{value}`"),
        Unset::Words(words) => words.to_owned(),
        Unset::Nothing => "–".to_owned(),
    };
    format!("| `{}` | {default} | {} |\n", input.name, input.about)
}
