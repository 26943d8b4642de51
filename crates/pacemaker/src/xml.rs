//! XML as a tree that can be changed and written again. For the CIB, where whatever is not ours must survive a change as it is.

use quick_xml::XmlVersion;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::fmt::Write;

/// As libxml2 allows, with which Pacemaker's tools read and write.
const DEEPEST: usize = 256;

/// An element. Text between elements is not kept: a CIB has none that means anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// In their order.
    pub children: Vec<Element>,
}

impl Element {
    /// An element without attributes and children.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Reads a document.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        // The last one is the element whose children are being read; the first one holds the document.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(_) if open.len() > DEEPEST => return Err("it is nested too deep".into()),
                Event::Start(start) => open.push(Self::read(&start)?),
                Event::Empty(start) => close(&mut open, Self::read(&start)?)?,
                Event::End(_) => {
                    let element = open.pop().unwrap_or_default();
                    close(&mut open, element)?;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut document), true) if document.children.len() == 1 => Ok(document.children.remove(0)),
            _ => Err("it is cut off".into()),
        }
    }

    fn read(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut element = Self::new(start.name().as_ref());
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| error.to_string())?;
            element.set(attribute.key.as_ref(), &value);
        }
        Ok(element)
    }

    /// An attribute.
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(name, _)| name == attribute)
            .map(|(_, value)| value.as_str())
    }

    /// Sets an attribute, where it stands or at the end.
    pub fn set(&mut self, attribute: &str, value: &str) {
        match self.attributes.iter_mut().find(|(name, _)| name == attribute) {
            Some((_, old)) => value.clone_into(old),
            None => self.attributes.push((attribute.to_owned(), value.to_owned())),
        }
    }

    /// Removes an attribute.
    pub fn unset(&mut self, attribute: &str) {
        self.attributes.retain(|(name, _)| name != attribute);
    }

    /// The attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same with an attribute.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: &str) -> Self {
        self.set(attribute, value);
        self
    }

    /// The children of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first child of that name, made at the end where there is none.
    pub fn child_or_new(&mut self, name: &str) -> &mut Self {
        let at = self.children.iter().position(|child| child.name == name);
        let at = at.unwrap_or_else(|| {
            self.children.push(Self::new(name));
            self.children.len() - 1
        });
        &mut self.children[at]
    }

    /// All elements below this one that are reached by these names.
    pub fn path(&self, names: &[&str]) -> Vec<&Self> {
        names.iter().fold(vec![self], |found, name| {
            (found.into_iter())
                .flat_map(|element| element.children.iter())
                .filter(|child| child.name == *name)
                .collect()
        })
    }

    /// Whether both say the same: the order of attributes means nothing.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let sorted = |element: &Self| {
            let mut attributes = element.attributes.clone();
            attributes.sort();
            attributes
        };
        self.name == other.name
            && sorted(self) == sorted(other)
            && self.children.len() == other.children.len()
            && (self.children.iter().zip(&other.children)).all(|(one, other)| one.says_the_same(other))
    }

    /// The element with this id, itself or anywhere below.
    pub fn by_id(&self, id: &str) -> Option<&Self> {
        if self.get("id") == Some(id) {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.by_id(id))
    }

    /// As [`Self::by_id`], to be changed.
    pub fn by_id_mut(&mut self, id: &str) -> Option<&mut Self> {
        if self.get("id") == Some(id) {
            return Some(self);
        }
        self.children.iter_mut().find_map(|child| child.by_id_mut(id))
    }

    /// This element and everything below it, parents first.
    pub fn descendants(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(element) = found.get(next).copied() {
            found.extend(&element.children);
            next += 1;
        }
        found
    }

    /// The attribute `id`, empty when there is none.
    pub fn id(&self) -> &str {
        self.get("id").unwrap_or_default()
    }

    /// As text, indented by two spaces a level, with a line end at the end.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        let indent = depth * 2;
        let _ = write!(text, "{:indent$}<{}", "", self.name);
        for (name, value) in &self.attributes {
            // A line break as it is would be read as a space.
            let value = escape(value.as_str()).replace('\n', "&#10;");
            let _ = write!(text, " {name}=\"{value}\"");
        }
        if self.children.is_empty() {
            text.push_str("/>\n");
            return;
        }
        text.push_str(">\n");
        for child in &self.children {
            child.write(text, depth + 1);
        }
        let _ = writeln!(text, "{:indent$}</{}>", "", self.name);
    }
}

fn close(open: &mut [Element], element: Element) -> Result<(), String> {
    open.last_mut()
        .ok_or("it closes an element that is not open")?
        .children
        .push(element);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let xml = "<cib epoch=\"3\">\n  <x id=\"a\" value=\"&lt;&quot;&amp;&#10;\"/>\n  <y>\n    <z id=\"b\"/>\n  </y>\n</cib>\n";
        let tree = Element::parse(xml).unwrap();
        assert_eq!(tree.text(), xml);
        assert_eq!(tree.by_id("b").unwrap().name, "z");
        assert_eq!(tree.child("x").unwrap().get("value"), Some("<\"&\n"));
        assert_eq!(tree.descendants().len(), 4);
    }

    /// Its tree is dropped and written by recursion.
    #[test]
    fn what_has_no_bottom_is_refused() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(Element::parse(&nested(DEEPEST)).is_ok());
        for depth in [DEEPEST + 1, 150_000] {
            assert_eq!(
                Element::parse(&nested(depth)),
                Err("it is nested too deep".to_owned())
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for xml in ["", "<a>", "<a><b/>", "</a>", "<a/><b/>", "<a b=></a>"] {
            assert!(Element::parse(xml).is_err(), "{xml}");
        }
    }
}
