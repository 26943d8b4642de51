//! The database's addresses.

use super::model::{Doubt, Roles, Site};
use pacemaker::cib::{Cib, Primitive};

fn is_address(one: &Primitive) -> bool {
    let agent = one.agent();
    agent == super::ADDRESS || super::SHELL_ADDRESSES.contains(&agent.as_str())
}

/// The address, without prefix length.
pub(super) fn ip(one: &Primitive) -> Option<&str> {
    one.parameter("ip")?.split('/').next()
}

/// The addresses of the database, the settings' own first. The strongest tie counts: its group; a colocation; an order; and the settings'
/// word for one that nothing ties to anybody.
pub(super) fn addresses<'cib>(
    cib: &'cib Cib,
    site: &Site,
    roles: &Roles<'cib>,
    doubts: &mut Vec<Doubt>,
) -> Vec<&'cib Primitive> {
    let all: Vec<&Primitive> = cib.primitives().filter(|one| is_address(one)).collect();
    let is_chosen = |one: &Primitive| site.address_resource.as_ref() == Some(&one.id);
    let ours = [roles.database, roles.file_system];
    let is_any = |test: &dyn Fn(&Primitive) -> bool| ours.iter().flatten().any(|one| test(one));
    // In a group with others it is theirs, whatever else is said.
    let is_theirs = |one: &Primitive| !is_any(&|other| cib.share_group(one, other)) && has_company(cib, one);
    let mut found: Vec<&Primitive> = all
        .iter()
        .copied()
        .filter(|one| is_any(&|other| cib.share_group(one, other)))
        .collect();
    let apart: Vec<&Primitive> = all
        .iter()
        .copied()
        .filter(|one| !is_theirs(one) && !found.iter().any(|known| known.id == one.id))
        .collect();
    found.extend(
        apart
            .iter()
            .filter(|one| is_any(&|other| cib.are_colocated(one, other))),
    );
    if found.is_empty()
        && let Some((data, _)) = roles.data
    {
        // Below two services it says nothing about whose the address is.
        let with_data = apart.iter().filter(|one| {
            cib.are_colocated(one, data) && !super::storage::is_shared(cib, data, roles.file_system)
        });
        found.extend(with_data.filter(|one| !is_anothers(cib, one, roles)));
    }
    // An address that goes where one of ours goes.
    let with_ours = apart.iter().filter(|one| {
        found
            .iter()
            .any(|known| known.id != one.id && cib.are_colocated(one, known))
    });
    let with_ours: Vec<&Primitive> = with_ours.copied().collect();
    for one in with_ours {
        if !found.iter().any(|known| known.id == one.id) {
            found.push(one);
        }
    }
    if found.is_empty() {
        let after: Vec<&Primitive> = apart
            .iter()
            .copied()
            .filter(|one| is_any(&|other| cib.are_ordered(one, other)) && !is_anothers(cib, one, roles))
            .collect();
        let chosen: Vec<&Primitive> = after.iter().copied().filter(|one| is_chosen(one)).collect();
        match after.as_slice() {
            [] | [_] => found = after,
            _ if !chosen.is_empty() => found = chosen,
            several => doubts.push(Doubt::Addresses(
                several.iter().map(|one| one.id.clone()).collect(),
            )),
        }
    }
    let named = site.address.as_deref();
    if let Some(named) = named
        && let Some(one) = all.iter().copied().find(|one| ip(one) == Some(named))
    {
        let at = found.iter().position(|known| known.id == one.id);
        if at.is_none() && (is_theirs(one) || is_anothers(cib, one, roles)) {
            doubts.push(Doubt::AddressTaken {
                address: named.to_owned(),
                resource: one.id.clone(),
            });
            return Vec::new();
        }
        if let Some(at) = at {
            found.remove(at);
        }
        found.insert(0, one);
    } else if let Some(at) = found.iter().position(|one| is_chosen(one)) {
        let one = found.remove(at);
        found.insert(0, one);
    } else if named.is_some() && found.len() > 1 {
        // Which of them is to become the settings' one?
        doubts.push(Doubt::Addresses(found.iter().map(|one| one.id.clone()).collect()));
    }
    found
}

/// Whether something else than addresses is in its group, clone or bundle.
fn has_company(cib: &Cib, one: &Primitive) -> bool {
    cib.resources()
        .iter()
        .map(pacemaker::cib::Resource::primitives)
        .filter(|members| members.iter().any(|member| member.id == one.id))
        .flatten()
        .any(|member| !is_address(member))
}

/// Whether constraints tie it to something that is none of ours.
fn is_anothers(cib: &Cib, address: &Primitive, roles: &Roles<'_>) -> bool {
    cib.primitives()
        .filter(|one| one.id != address.id && !is_address(one))
        .filter(|one| !roles.all().any(|own| own.id == one.id))
        // Members of the database's group are named with it.
        .filter(|one| !roles.all().any(|own| cib.share_group(own, one)))
        .any(|one| cib.are_colocated(address, one) || cib.are_ordered(address, one))
}
