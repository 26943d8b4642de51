//! Ids of resources and of their instances.

/// The primitive that an instance is of: an anonymous clone's instances are `<id>:<number>`.
pub fn primitive_of(instance: &str) -> &str {
    instance.split(':').next().unwrap_or(instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_instance_is_dropped() {
        for (instance, id) in [("KaiwuData:0", "KaiwuData"), ("KaiwuDB", "KaiwuDB"), ("", "")] {
            assert_eq!(primitive_of(instance), id);
        }
    }
}
