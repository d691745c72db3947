//! Answers that cannot be true, told by more than one number: what is said of them, and what follows.

use std::sync::Arc;
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    ApiKey, MetadataResponse, PartitionProduceResponse, ProduceResponse,
};

use super::harness::{Asked, World, config};

/// Until a question about the cluster is on its way, and to which address.
fn asking() -> (World, Asked, Arc<str>) {
    let mut world = World::new(config());
    world.want();
    let (_, address, _) = world.connect();
    world.answer_versions();
    let asked = world.next(ApiKey::Metadata);
    (world, asked, address.host)
}

/// The last question of this kind, wherever it was asked.
fn take(world: &mut World, api: ApiKey) -> Asked {
    let at = world.asked.iter().rposition(|asked| asked.api() == api);
    world.asked.remove(at.expect("it was asked")).unwrap()
}

fn answer_versions(world: &mut World) {
    let (asked, response) = (take(world, ApiKey::ApiVersions), world.versions());
    world.answer(&asked, &response);
}

#[test]
fn metadata_that_cannot_be_is_refused_with_its_reason_and_asked_for_elsewhere() {
    type Spoil = fn(&mut MetadataResponse);
    let spoilers: [(Spoil, &str); 5] = [
        (|it| it.brokers[0].node_id = -3, "names a broker -3"),
        (|it| it.brokers[0].node_id = 2, "names broker 2 twice"),
        (
            |it| it.topics.push(it.topics[0].clone()),
            "names topic t twice",
        ),
        (
            |it| it.topics[0].partitions[1].partition_index = 0,
            "topic t has a partition 0 twice",
        ),
        (
            |it| it.topics[0].partitions[1].partition_index = i32::MIN,
            "topic t has a partition -2147483648",
        ),
    ];
    for (spoil, what) in spoilers {
        let (mut world, asked, host) = asking();
        let mut response = world.metadata();
        spoil(&mut response);
        world.answer(&asked, &response);
        assert_eq!(world.disconnects, [asked.connection_id], "{what}");
        assert!(world.topics.is_empty(), "{what}: {:?}", world.topics);
        let told = world.events.iter().find(|it| it.starts_with("Unanswered"));
        let told = told.expect(what);
        assert!(told.contains(&*host) && told.contains(what), "{told}");
        world.sleep(1000);
        let (_, address, _) = world.connect();
        assert_ne!(address.host, host);
        answer_versions(&mut world);
        let (asked, response) = (take(&mut world, ApiKey::Metadata), world.metadata());
        world.answer(&asked, &response);
        assert_eq!(world.topics, ["[Some(1), Some(2)]"], "{what}");
    }
}

#[test]
fn an_answer_about_what_was_not_sent_or_twice_about_what_was_counts_for_nothing() {
    type Spoil = fn(&mut ProduceResponse);
    let another = |index| PartitionProduceResponse {
        index,
        error_code: ErrorCode::INVALID_RECORD,
        ..Default::default()
    };
    let spoilers: [(Spoil, &str); 3] = [
        (
            |it| it.topics[0].partitions[1].index = 0,
            "about partition 0 of topic t, twice",
        ),
        (
            |it| it.topics[0].partitions[1].index = 7,
            "about partition 7 of topic t, which was not in the request",
        ),
        (
            |it| it.topics[0].name = "other".to_owned(),
            "about topic other, which was not in the request",
        ),
    ];
    for (spoil, what) in spoilers {
        let mut world = World::ready(config());
        let ticket = world.append(0);
        let connection_id = world.connect_broker();
        let asked = world.next(ApiKey::Produce);
        let mut response = ProduceResponse::default();
        response.topics.push(Default::default());
        response.topics[0].name = "t".to_owned();
        response.topics[0].partitions = vec![another(0), another(1)];
        spoil(&mut response);
        world.answer(&asked, &response);
        assert!(world.disconnects.contains(&connection_id), "{what}");
        assert!(world.verdicts.is_empty(), "{what}: {:?}", world.verdicts);
        world.assert_saw(what);
        // It may have been written, so it goes again as it was.
        world.sleep(1000);
        world.sleep(1000);
        while let Some(at) = world.connects.iter().position(|(_, _, id)| *id == Some(1)) {
            world.connects.rotate_left(at);
            world.connect();
        }
        let again = loop {
            let asked = world.asked.front().expect(what).clone();
            match asked.api() {
                ApiKey::ApiVersions => world.answer_versions(),
                ApiKey::Metadata => world.answer_metadata(),
                _ => break world.next(ApiKey::Produce),
            }
        };
        let batches = |asked: &Asked| asked.produce().topics[0].partitions[0].records.clone();
        assert_eq!(batches(&again), batches(&asked), "{what}");
        world.answer_produce(&again, ErrorCode::NONE, 5);
        assert_eq!(world.verdicts[&ticket], "at Some(5)");
    }
}

#[test]
fn of_a_broker_s_words_a_kilobyte_is_kept() {
    let mut world = World::ready(config());
    let ticket = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    let mut response = ProduceResponse::default();
    response.topics.push(Default::default());
    response.topics[0].name = "t".to_owned();
    response.topics[0]
        .partitions
        .push(PartitionProduceResponse {
            error_code: ErrorCode::INVALID_RECORD,
            // Its characters do not end where a kilobyte does.
            error_message: Some(format!("no{}", "€".repeat(1 << 20))),
            ..Default::default()
        });
    world.answer(&asked, &response);
    let said = &world.verdicts[&ticket];
    assert!(said.contains("no€€") && said.contains("... (3145730 bytes)"));
    assert!(said.len() < 1300, "{}", said.len());
}

#[test]
fn a_broker_at_another_address_is_followed_once_its_answers_are_here() {
    let mut world = World::ready(config());
    let first = world.append(0);
    let connection_id = world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    world.append(1);
    world.connect_broker();
    let other = world.next(ApiKey::Produce);
    world.answer_produce(&other, ErrorCode::NONE, 0);
    // It has moved, and the metadata says so while its answer is awaited.
    world.want();
    world.sleep(1000);
    let refresh = world.next(ApiKey::Metadata);
    let mut response = world.metadata();
    response.brokers[0].host = "elsewhere".to_owned();
    world.answer(&refresh, &response);
    assert!(!world.disconnects.contains(&connection_id));
    let second = world.append(0);
    world.sleep(100);
    assert!(world.asked.is_empty(), "sent to where it is no more");
    world.answer_produce(&asked, ErrorCode::NONE, 0);
    assert_eq!(world.verdicts[&first], "at Some(0)");
    assert!(world.disconnects.contains(&connection_id));
    world.assert_saw("Moved");
    world.sleep(1000);
    let (_, address, broker) = world.connect();
    assert_eq!((&*address.host, broker), ("elsewhere", Some(1)));
    answer_versions(&mut world);
    let asked = take(&mut world, ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 1);
    assert_eq!(world.verdicts[&second], "at Some(1)");
}

#[test]
fn a_pause_that_a_broker_asks_for_is_no_longer_than_a_record_lives() {
    let mut config = config();
    config.delivery_timeout = Duration::from_secs(40);
    let mut world = World::ready(config);
    let first = world.append(0);
    world.connect_broker();
    let asked = world.next(ApiKey::Produce);
    let mut response = ProduceResponse {
        throttle_time_ms: i32::MAX,
        ..Default::default()
    };
    response.topics.push(Default::default());
    response.topics[0].name = "t".to_owned();
    response.topics[0].partitions.push(Default::default());
    world.answer(&asked, &response);
    assert_eq!(world.verdicts[&first], "at Some(0)");
    world.sleep(39_000);
    let second = world.append(0);
    assert!(world.asked.is_empty(), "it asked for a pause");
    world.sleep(1000);
    let asked = world.next(ApiKey::Produce);
    world.answer_produce(&asked, ErrorCode::NONE, 1);
    assert_eq!(world.verdicts[&second], "at Some(1)");
}
