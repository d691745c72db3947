//! Reads a struct from its tokens: who sees its fields. Whether they may is judged by `rooms`.

use proc_macro2::{Delimiter, Group, TokenTree};

use super::tokens::{attribute, is_punct, word};

/// A struct and who sees its fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StructDecl {
    /// The inline modules around the struct.
    pub(super) scope: Vec<String>,
    pub(super) name: String,
    /// Whether it is `pub` without limits.
    pub(super) is_pub: bool,
    /// The line of each field and who sees it.
    pub(super) fields: Vec<(usize, Visibility)>,
}

impl StructDecl {
    /// Reads the struct whose `struct` stands at `at`, if one stands there.
    pub(super) fn read(tokens: &[TokenTree], at: usize, scope: &[String]) -> Option<Self> {
        let here = word(tokens.get(at))?;
        let name = word(tokens.get(at + 1)).filter(|_| here == "struct")?;
        Some(Self {
            scope: scope.to_vec(),
            name,
            is_pub: at > 0 && word(tokens.get(at - 1)).as_deref() == Some("pub"),
            fields: body(&tokens[at..]).map(fields).unwrap_or_default(),
        })
    }
}

/// What a visibility says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    Private,
    /// `pub(in path)` and the like.
    Within(Vec<String>),
    Everywhere,
}

/// The group with the fields of the struct that the tokens start with.
fn body(tokens: &[TokenTree]) -> Option<&Group> {
    let mut angles = Angles::default();
    let mut is_where = false;
    for token in tokens.iter().filter(|token| angles.are_closed(token)) {
        is_where |= word(Some(token)).as_deref() == Some("where");
        match token {
            // What stands in parentheses behind `where` are the parameters of a function.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace || !is_where => {
                return Some(group);
            }
            token if is_punct(Some(token), ';') => return None,
            _ => {}
        }
    }
    None
}

/// The line of each field and who sees it.
fn fields(body: &Group) -> Vec<(usize, Visibility)> {
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let mut angles = Angles::default();
    let fields = tokens.split(|token| angles.are_closed(token) && is_punct(Some(token), ','));
    fields
        .filter_map(|mut field| {
            while let Some((_, _, len)) = attribute(field) {
                field = &field[len..];
            }
            let line = field.first()?.span().start().line;
            Some((line, visibility(field)))
        })
        .collect()
}

/// The visibility that the tokens of a field start with.
fn visibility(field: &[TokenTree]) -> Visibility {
    if word(field.first()).as_deref() != Some("pub") {
        return Visibility::Private;
    }
    if let Some(TokenTree::Group(group)) = field.get(1) {
        let limit: Vec<TokenTree> = group.stream().into_iter().collect();
        let words = limit.iter().filter_map(|token| word(Some(token)));
        let mut words: Vec<String> = words.collect();
        // Otherwise it is the tuple that a field of a tuple struct is.
        let is_limit = words.first().is_some_and(|first| first == "in") || limit.len() == 1;
        if is_limit && group.delimiter() == Delimiter::Parenthesis {
            words.retain(|word| word != "in" && word != "self");
            return Visibility::Within(words);
        }
    }
    Visibility::Everywhere
}

/// Counts the angle brackets that are open. The `>` of an arrow closes none.
#[derive(Default)]
struct Angles {
    open: usize,
    is_arrow: bool,
}

impl Angles {
    /// Takes the next token and answers whether it stands outside all of them.
    fn are_closed(&mut self, token: &TokenTree) -> bool {
        if is_punct(Some(token), '<') {
            self.open += 1;
        } else if is_punct(Some(token), '>') && !self.is_arrow {
            self.open = self.open.saturating_sub(1);
        }
        self.is_arrow = is_punct(Some(token), '-');
        self.open == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> StructDecl {
        let tokens: Vec<TokenTree> = text
            .parse::<proc_macro2::TokenStream>()
            .unwrap()
            .into_iter()
            .collect();
        let mut structs = (0..tokens.len()).filter_map(|at| StructDecl::read(&tokens, at, &[]));
        structs.next().unwrap()
    }

    fn within(path: &str) -> Visibility {
        Visibility::Within(path.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn each_field_has_its_visibility_and_line() {
        let text = "pub struct S<T: Fn(u8) -> Vec<u8>> {\n/// Doc.\n#[x(a, b)] pub a: Map<u8, T>,\n\
                    pub(crate) b: T, c: fn(u8) -> (u8, u8),\npub(in super::x) d: u8,\n}";
        let read = read(text);
        assert!(read.is_pub);
        assert_eq!(read.name, "S");
        let told = [
            (3, Visibility::Everywhere),
            (4, within("crate")),
            (4, Visibility::Private),
            (5, within("super x")),
        ];
        assert_eq!(read.fields, told);
    }

    #[test]
    fn the_fields_of_a_tuple_have_no_names() {
        let read = read(
            "pub(crate) struct S<T: Fn() -> (u8, u8)>(pub (u8, T), u8, pub(super) T) where T: Fn(u8);",
        );
        assert!(!read.is_pub);
        let told = read.fields.into_iter().map(|(_, visibility)| visibility);
        let all = [Visibility::Everywhere, Visibility::Private, within("super")];
        assert_eq!(told.collect::<Vec<_>>(), all);
    }

    #[test]
    fn parameters_behind_where_are_no_fields() {
        let read = read("struct S<T> where T: Fn(u8, u8) { a: T }");
        assert_eq!(read.fields, [(1, Visibility::Private)]);
    }

    #[test]
    fn a_struct_of_nothing_has_no_fields() {
        assert_eq!(read("struct S; struct T(u8);").fields, []);
    }
}
