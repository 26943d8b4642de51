//! Pacemaker's XML as a tree that can be changed: elements and attributes, which is all that its documents are made of.
//! Comments are dropped.

use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::fmt::{self, Display};

/// An element with everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub name: String,
    /// In the order in which they stand.
    pub attributes: Vec<(String, String)>,
    /// In the order in which they stand.
    pub children: Vec<Self>,
}

impl Element {
    /// An element without children.
    pub fn new(name: &str, attributes: &[(&str, &str)]) -> Self {
        Self {
            name: name.to_owned(),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            children: Vec::new(),
        }
    }

    /// Reads a document.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let closed = match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => {
                    open.push(Self::read(&start)?);
                    continue;
                }
                Event::Empty(start) => Self::read(&start)?,
                Event::End(_) => open.pop().ok_or("an end without a beginning")?,
                Event::Eof => return Err("it is cut off".to_owned()),
                _ => continue,
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Ok(closed),
            }
        }
    }

    fn read(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = unescape(&attribute.value).map_err(|error| error.to_string())?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self {
            name: start.name().as_ref().to_owned(),
            attributes,
            children: Vec::new(),
        })
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.attributes.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The attribute `id`, empty when there is none.
    pub fn id(&self) -> &str {
        self.attribute("id").unwrap_or_default()
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Follows a path of names; the first child of each name counts.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |element, name| {
            element.children.iter_mut().find(|child| child.name == *name)
        })
    }

    /// This element and everything below it, parents first.
    pub fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(element) = found.get(next).copied() {
            found.extend(&element.children);
            next += 1;
        }
        found
    }

    /// The first element below this one that is wanted.
    pub fn find_mut(&mut self, wanted: &impl Fn(&Self) -> bool) -> Option<&mut Self> {
        self.children.iter_mut().find_map(|child| {
            if wanted(child) {
                Some(child)
            } else {
                child.find_mut(wanted)
            }
        })
    }
}

/// As one line of XML.
impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, value) in &self.attributes {
            // A line break as it is would be read as a space.
            let value = escape(value.as_str()).replace('\n', "&#10;");
            write!(f, " {name}=\"{value}\"")?;
        }
        if self.children.is_empty() {
            return f.write_str("/>");
        }
        f.write_str(">")?;
        for child in &self.children {
            child.fmt(f)?;
        }
        write!(f, "</{}>", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<?xml version=\"1.0\"?>\n<cib epoch=\"3\"><!-- old -->\n <a id=\"x&amp;&lt;&quot;&apos;&gt;&#10;\"/><b>\n<a id=\"2\"/></b></cib>\n";

    #[test]
    fn what_is_written_reads_the_same() {
        let read = Element::parse(TEXT).unwrap();
        assert_eq!(Element::parse(&read.to_string()).unwrap(), read);
        assert_eq!(read.child("a").unwrap().id(), "x&<\"'>\n");
        assert_eq!(read.all().len(), 4);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for text in ["", "<cib>", "<cib", "</cib>", "<cib a=>"] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_element_far_below_can_be_changed() {
        let mut read = Element::parse(TEXT).unwrap();
        read.find_mut(&|element| element.id() == "2")
            .unwrap()
            .set("score", "5");
        assert!(read.to_string().contains("<a id=\"2\" score=\"5\"/>"), "{read}");
        read.at_mut(&["b", "a"]).unwrap().set("id", "3");
        assert!(read.at_mut(&["b", "c"]).is_none());
        assert!(read.to_string().contains("<a id=\"3\""), "{read}");
    }
}
