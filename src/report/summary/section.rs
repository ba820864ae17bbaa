//! Parts of a page that is never too large: GitHub drops a summary of more than 1 MiB whole.

use super::super::markdown::head;

/// What GitHub takes from one step, less what stands around the rows: the heading, and the sentences on what is left out.
const ROOM: usize = 1024 * 1024 - 24 * 1024;

/// What a section may need beside its rows: its title, its head twice, the tags, a sentence.
const AROUND: usize = 2 * 1024;

/// How many rows are shown at once; the others are there and folded.
const OPEN_ROWS: usize = 25;

/// A titled part of the page.
pub(super) struct Section {
    title: &'static str,
    content: Content,
}

enum Content {
    /// Rendered rows, cut where there is no room.
    Table { head: String, rows: Vec<String> },
    /// Shown whole or not at all.
    Block(String),
}

impl Section {
    /// A table; it is cut between its rows. Without rows there is no section.
    pub(super) fn table(title: &'static str, titles: &[&str], rows: impl Iterator<Item = String>) -> Self {
        let content = Content::Table {
            head: head(titles),
            rows: rows.collect(),
        };
        Self { title, content }
    }

    /// Text that makes sense as a whole only. Without text there is no section.
    pub(super) fn block(title: &'static str, text: String) -> Self {
        let content = Content::Block(text);
        Self { title, content }
    }

    fn is_empty(&self) -> bool {
        match &self.content {
            Content::Table { rows, .. } => rows.is_empty(),
            Content::Block(text) => text.is_empty(),
        }
    }

    fn size(&self) -> usize {
        let content = match &self.content {
            Content::Table { rows, .. } => rows.iter().map(String::len).sum(),
            Content::Block(text) => text.len(),
        };
        AROUND + content
    }

    fn render(&self, room: usize, elsewhere: &str) -> String {
        let content = match &self.content {
            Content::Table { head, rows } => table(head, rows, room.saturating_sub(AROUND), elsewhere),
            Content::Block(text) if self.size() <= room => text.clone(),
            Content::Block(_) => format!("Left out for want of room. {elsewhere}\n"),
        };
        format!("### {}\n\n{content}\n", self.title)
    }
}

/// The page: every section as far as there is room, which is shared so that a long one costs no short one anything.
/// `elsewhere` says where the rest is.
pub(super) fn page(heading: &str, sections: &[Section], elsewhere: &str) -> String {
    let sections: Vec<&Section> = sections.iter().filter(|section| !section.is_empty()).collect();
    let sizes: Vec<usize> = sections.iter().map(|section| section.size()).collect();
    let room = share(sizes, ROOM);
    let rendered = sections.iter().map(|section| section.render(room, elsewhere));
    format!("{heading}\n\n{}", rendered.collect::<String>())
}

/// The largest size that each may have when all together may have `room`.
fn share(mut sizes: Vec<usize>, mut room: usize) -> usize {
    sizes.sort_unstable();
    for (before, size) in sizes.iter().enumerate() {
        let each = room / (sizes.len() - before);
        if *size > each {
            return each;
        }
        room -= size;
    }
    usize::MAX
}

fn table(head: &str, rows: &[String], room: usize, elsewhere: &str) -> String {
    let (shown, cut) = rows.split_at(fitting(rows, room));
    let (open, folded) = shown.split_at(shown.len().min(OPEN_ROWS));
    let mut parts = vec![head.to_owned(), open.concat()];
    if !folded.is_empty() {
        let more = format!("{} more", folded.len());
        parts.push("\n".to_owned() + &details(&more, &format!("{head}{}", folded.concat())));
    }
    if !cut.is_empty() {
        let rows = if cut.len() == 1 { "row is" } else { "rows are" };
        parts.push(format!(
            "\n{} more {rows} left out, because GitHub shows at most 1 MiB a step. {elsewhere}\n",
            cut.len()
        ));
    }
    parts.concat()
}

/// How many of the first rows have room.
fn fitting(rows: &[String], room: usize) -> usize {
    let sizes = rows.iter().scan(0, |size, row| {
        *size += row.len();
        Some(*size)
    });
    sizes.take_while(|size| *size <= room).count()
}

/// A part that is folded until somebody opens it. The blank lines make its inside Markdown again.
fn details(title: &str, inside: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{inside}\n</details>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, length: usize) -> Section {
        let row = format!("| {} |\n", "x".repeat(length));
        Section::table("Rows", &["Row"], std::iter::repeat_n(row, count))
    }

    #[test]
    fn a_long_section_costs_a_short_one_nothing() {
        assert_eq!(share(vec![10, 1000, 20], 130), 100);
        assert_eq!(share(vec![10, 20], 130), usize::MAX);
        assert_eq!(share(vec![500, 500], 600), 300);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let page = page("#", &[rows(3000, 1000), rows(2, 10)], "See there.");
        assert!(page.len() <= 1024 * 1024, "{}", page.len());
        assert!(
            page.contains("more rows are left out, because GitHub shows at most 1 MiB a step. See there.")
        );
        assert!(page.ends_with("| xxxxxxxxxx |\n| xxxxxxxxxx |\n\n"));
    }

    #[test]
    fn all_but_the_first_rows_are_folded() {
        let page = page("#", &[rows(27, 1)], "");
        let (open, folded) = page
            .split_once("<details><summary>2 more</summary>\n\n")
            .expect("a fold");
        assert_eq!(
            (open.matches("| x |").count(), folded.matches("| x |").count()),
            (25, 2)
        );
    }
}
