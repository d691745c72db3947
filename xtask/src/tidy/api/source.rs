//! The modules of libraries as parsed, without tests, and which item a name in one of them means.

use std::collections::BTreeMap;
use std::path::Path;

use syn::{Attribute, Item, UseTree, Visibility};

use super::text::text;

/// The library, the modules and the name.
pub(super) type Name = Vec<String>;

/// More re-exports of re-exports than this are a circle.
const STEPS_MAX: usize = 20;

/// The modules of several libraries by their names.
#[derive(Default)]
pub(super) struct Source {
    pub(super) modules: BTreeMap<Name, Module>,
}

/// A module, be it a file or not.
#[derive(Default)]
pub(super) struct Module {
    pub(super) items: Vec<Item>,
    pub(super) uses: Vec<Use>,
}

/// A name that a `use` brings.
pub(super) struct Use {
    pub(super) name: String,
    path: Name,
    pub(super) is_pub: bool,
}

/// Whether an attribute is there, as it would be written.
pub(super) fn has(attributes: &[Attribute], what: &str) -> bool {
    attributes.iter().any(|known| text(&known.meta) == what)
}

impl Source {
    /// Adds a library.
    pub(super) fn add(
        &mut self,
        name: &str,
        root: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<(), String> {
        let dir = root.parent().unwrap_or(root);
        self.file(vec![name.to_owned()], root, dir, read)
    }

    fn file(
        &mut self,
        name: Name,
        path: &Path,
        dir: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<(), String> {
        let shown = path.display();
        let text = read(path).ok_or_else(|| format!("{shown} cannot be read"))?;
        let file = syn::parse_file(&text).map_err(|error| format!("{shown}: {error}"))?;
        self.module(name, file.items, dir, read)
    }

    fn module(
        &mut self,
        name: Name,
        items: Vec<Item>,
        dir: &Path,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<(), String> {
        let mut module = Module::default();
        for item in items {
            match item {
                Item::Mod(inner) if has(&inner.attrs, "cfg(test)") => {}
                Item::Mod(mut inner) => {
                    let mut name = name.clone();
                    name.push(inner.ident.to_string());
                    let dir = dir.join(inner.ident.to_string());
                    match inner.content.take() {
                        Some((_, items)) => self.module(name, items, &dir, read)?,
                        None => self.file(name, &dir.with_extension("rs"), &dir, read)?,
                    }
                    module.items.push(Item::Mod(inner));
                }
                Item::Use(used) => {
                    let is_pub = matches!(used.vis, Visibility::Public(_));
                    let mut begin = Vec::new();
                    collect(&used.tree, &mut begin, is_pub, &mut module.uses);
                }
                item => module.items.push(item),
            }
        }
        self.modules.insert(name, module);
        Ok(())
    }

    /// The item that a path means which stands in a module; `None` if it is of another library.
    pub(super) fn resolve(&self, module: &[String], path: &[String]) -> Option<Name> {
        self.resolve_in(module, path, STEPS_MAX)
    }

    fn resolve_in(&self, module: &[String], path: &[String], steps: usize) -> Option<Name> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => vec![module.first()?.clone()],
            "self" => module.to_vec(),
            "super" => module[..module.len() - 1].to_vec(),
            _ => self.step(module, first, steps)?,
        };
        for segment in rest {
            at = match segment.as_str() {
                "super" => at[..at.len() - 1].to_vec(),
                _ => self.step(&at, segment, steps)?,
            };
        }
        Some(at)
    }

    /// What a name means in a module: something of its own, what it uses, or a library.
    fn step(&self, module: &[String], name: &str, steps: usize) -> Option<Name> {
        let known = self.modules.get(module)?;
        if known.items.iter().any(|item| ident(item) == name) {
            let mut own = module.to_vec();
            own.push(name.to_owned());
            return Some(own);
        }
        if let Some(used) = known.uses.iter().find(|used| used.name == name) {
            return self.resolve_in(module, &used.path, steps);
        }
        let library = vec![name.to_owned()];
        self.modules.contains_key(&library).then_some(library)
    }

    /// The item of a name, unless it is a module.
    pub(super) fn item(&self, name: &[String]) -> Option<&Item> {
        let (last, module) = name.split_last()?;
        let items = &self.modules.get(module)?.items;
        items.iter().find(|item| ident(item) == *last)
    }
}

/// The names that a `use` brings.
fn collect(tree: &UseTree, begin: &mut Name, is_pub: bool, uses: &mut Vec<Use>) {
    let mut used = |last: Option<String>, name: String| {
        let mut path = begin.clone();
        path.extend(last);
        uses.push(Use { name, path, is_pub });
    };
    match tree {
        UseTree::Name(name) if name.ident == "self" => {
            let name = begin.last().cloned().unwrap_or_default();
            used(None, name);
        }
        UseTree::Name(name) => used(Some(name.ident.to_string()), name.ident.to_string()),
        UseTree::Rename(name) => used(Some(name.ident.to_string()), name.rename.to_string()),
        UseTree::Path(path) => {
            begin.push(path.ident.to_string());
            collect(&path.tree, begin, is_pub, uses);
            begin.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, begin, is_pub, uses);
            }
        }
        UseTree::Glob(_) => {}
    }
}

/// The name that an item declares, if it declares one.
pub(super) fn ident(item: &Item) -> String {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return String::new(),
    };
    ident.to_string()
}
