//! What Pacemaker's tools print, and what it tells its alert agents.

use crate::variables;
use alerts::Event;
use pacemaker::live::Live;
use pacemaker::xml::Element;
use pacemaker::{cib, status};

/// `cibadmin -Q`.
pub(crate) fn cib(bytes: &[u8]) {
    let Ok(document) = Element::parse(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    assert_eq!(
        Element::parse(&document.text()).as_ref(),
        Ok(&document),
        "what is written is read as the same"
    );
    if let Ok(cib) = cib::of(&document) {
        for primitive in cib.primitives() {
            let _ = (
                primitive.agent(),
                cib.group_of(primitive),
                cib.migration_threshold(&primitive.id),
            );
        }
    }
    let _ = Live::of(document, true);
}

/// `crm_mon --as-xml`.
pub(crate) fn crm_mon(bytes: &[u8]) {
    if let Ok(status) = status::parse(&String::from_utf8_lossy(bytes)) {
        let _ = (status.concerns().count(), status.reported_failures().count());
    }
}

/// The variables of an alert.
pub(crate) fn alert_event(bytes: &[u8]) {
    let _ = Event::of(&variables(bytes)).is_fenced();
}
