import base64
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from devices.adapters.contract import Decoded, Incoming, Order, Reading, RefusedError, UnsupportedError
from devices.adapters.zhenshi import ZhenshiAdapter
from tests.support.compound import JPEG

ADAPTER = ZhenshiAdapter()
SN = "3f0a11c2-77b0d9e4"
AT = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
# 2026-11-23 07:15:02 in Shanghai.
EPOCH = 1795389302


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def result(**changes: object) -> dict:
    told = {
        "license": b64("云M12345"),
        "confidence": 97,
        "colorType": 1,
        "type": 1,
        "triggerType": 1,
        "direction": 4,
        "carColor": 8,
        "plateid": 5150,
        "isoffline": 0,
        "gioouts": [],
        "timeStamp": {"Timeval": {"decyear": 2026, "decmon": 11, "decday": 23, "dechour": 7, "decmin": 15,
                                  "decsec": 2, "sec": EPOCH, "usec": 120000}},
    }  # fmt: skip
    return told | changes


def alarm(plate: dict, **changes: object) -> dict:
    told = {"serialno": SN, "ipaddr": "192.0.2.44", "deviceName": "IVS", "channel": 0}
    return {"AlarmInfoPlate": told | {"result": {"PlateResult": plate}} | changes}


def envelope(name: str, payload: object, **changes: object) -> dict:
    return {
        "id": "m1Xq",
        "sn": SN,
        "name": name,
        "version": "1.0",
        "timestamp": EPOCH,
        "payload": payload,
    } | changes


def mqtt(leaf: str, told: dict, layout: str = "device/{sn}/message/{leaf}") -> Decoded:
    return ADAPTER.decode(Incoming(layout.format(sn=SN, leaf=leaf), json.dumps(told).encode()))


def passage(**changes: object) -> Decoded:
    return mqtt("up/ivs_result", envelope("ivs_result", alarm(result(**changes))))


def one(decoded: Decoded) -> Reading:
    [reading] = decoded.readings
    return reading


def push(told: dict) -> Decoded:
    return ADAPTER.decode(Incoming("/plate", json.dumps(told).encode(), "application/json"))


def pushed(**changes: object) -> Decoded:
    return push(alarm(result(license="云M12345", **changes)))


def refusal(topic: str, body: bytes, content_type: str | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        ADAPTER.decode(Incoming(topic, body, content_type))
    return refused.value


@pytest.mark.parametrize("layout", ["device/{sn}/message/{leaf}", "{sn}/device/message/{leaf}"])
def test_a_plate_is_read_in_either_layout_of_topics(layout: str) -> None:
    decoded = mqtt("up/ivs_result", envelope("ivs_result", alarm(result())), layout)
    reading = one(decoded)
    assert decoded.sender == SN
    assert (reading.type, reading.record_id, reading.late) == ("plate.recognised", "plate:5150", False)
    assert reading.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, 120_000, dt.UTC)
    assert (reading.plate.text, reading.plate.confidence, reading.plate.color) == ("云M12345", 0.97, "blue")
    assert reading.attributes == {
        "plate_type": "small", "vehicle_color": "black", "moving": "down", "trigger": "automatic",
    }  # fmt: skip
    assert reading.marks == ()


def test_the_serial_number_of_the_topic_is_believed_before_that_of_the_body() -> None:
    decoded = mqtt("up/ivs_result", envelope("ivs_result", alarm(result(), serialno="another"), sn="a third"))
    assert decoded.sender == SN


def test_a_plate_is_base64_over_mqtt_and_plain_over_http() -> None:
    assert one(passage()).plate.text == "云M12345"
    assert one(pushed()).plate.text == "云M12345"


def test_a_plain_plate_of_ascii_is_not_taken_for_base64_over_http() -> None:
    assert one(push(alarm(result(license="B1234ABC")))).plate.text == "B1234ABC"
    assert one(push(alarm(result(license=b64("云M12345"))))).plate.text == "云M12345"


@pytest.mark.parametrize("none", ["_无_", "无牌车", "", " "])
def test_a_vehicle_without_a_plate_is_no_plate_and_has_no_confidence(none: str) -> None:
    for decoded in (
        passage(license=b64(none), confidence=0),
        push(alarm(result(license=none, confidence=0))),
    ):
        reading = one(decoded)
        assert reading.type == "plate.none"
        assert reading.plate is None or (reading.plate.text, reading.plate.confidence) == (None, None)


def test_an_encrypted_plate_cannot_be_read() -> None:
    reading = one(passage(is_encrypted=1))
    assert (reading.type, reading.attributes["encrypted"]) == ("plate.none", True)


@pytest.mark.parametrize(
    ("code", "color"),
    [(0, None), (1, "blue"), (2, "yellow"), (3, "white"), (4, "black"), (5, "green"), (6, "yellow_green")],
)
def test_plate_colours_have_codes_of_their_own(code: int, color: str | None) -> None:
    assert one(passage(colorType=code)).plate.color == color


def test_an_undocumented_colour_or_trigger_is_marked() -> None:
    assert one(passage(colorType=12)).marks == ("undocumented_code",)
    reading = one(passage(triggerType=86))
    assert (reading.type, reading.attributes["trigger"]) == ("plate.recognised", 86)
    assert reading.marks == ("undocumented_code",)


def test_stranded_and_turned_back_vehicles_are_told_from_passages() -> None:
    stranded, back = one(passage(triggerType=64)), one(passage(triggerType=66))
    assert (stranded.type, stranded.record_id) == ("vehicle.stranded", "stranded:5150")
    assert (back.type, back.record_id, back.plate.text) == ("vehicle.turned_back", "back:5150", "云M12345")


def test_a_vehicle_that_stands_no_more_ends_what_was_told_under_its_number() -> None:
    later = {
        "timeStamp": {"Timeval": {"sec": EPOCH + 90, "usec": 0}},
        "gioouts": [{"ionum": 0, "ctrltype": 2}],
    }
    told = passage(triggerType=65, **later)
    (over,) = told.readings
    assert (over.type, over.record_id, over.attributes["ended"]) == (
        "vehicle.stranded",
        "over:stranded:5150",
        True,
    )
    assert over.device_time == one(passage(triggerType=64)).device_time + dt.timedelta(seconds=89.88)
    assert (over.plate, over.pictures, over.match) == (None, (), None)
    assert passage(triggerType=65, **later) == told, "sent again it is the same"
    assert one(pushed(triggerType=65, **later)).record_id == over.record_id
    kept = one(passage(triggerType=65, isoffline=1))
    assert (kept.late, kept.record_id) == (True, over.record_id)


def test_a_fake_plate_is_said() -> None:
    assert one(passage(is_fake_plate=1)).attributes["fake_plate"] is True
    assert "fake_plate" not in one(passage(is_fake_plate=0)).attributes


def test_a_barrier_that_the_cameras_own_list_opened_is_a_second_event() -> None:
    plate, opened = passage(gioouts=[{"ionum": "0", "ctrltype": 2}, {"ionum": "1", "ctrltype": 0}]).readings
    assert plate.attributes["outputs"] == [{"output": 0, "by": "device_list"}]
    assert (opened.type, opened.record_id) == ("barrier.opened", "opened:5150")
    assert opened.attributes == {"opened_by": "device_list", "output": 0}
    assert (opened.device_time, opened.plate, opened.point) == (plate.device_time, plate.plate, None)


def test_a_barrier_that_our_command_opened_is_not_told_twice() -> None:
    assert one(passage(gioouts=[{"ionum": 0, "ctrltype": 1}])).attributes["outputs"] == [
        {"output": 0, "by": "server"}
    ]


def test_pictures_are_the_scene_and_the_plate_under_the_names_of_both_transports() -> None:
    over_mqtt = one(passage(full_image_content=b64(JPEG), small_image_content=b64(JPEG)))
    over_http = one(pushed(imageFile=b64(JPEG), imageFragmentFile=b64(JPEG)))
    assert over_mqtt.pictures == over_http.pictures == (("scene", JPEG), ("plate", JPEG))


def test_the_path_of_a_picture_is_kept_without_its_signature() -> None:
    reading = one(passage(imagePath=b64("https://192.0.2.9/a/1.jpg?OSSAccessKeyId=k&Signature=s")))
    assert reading.attributes["picture_path"] == "https://192.0.2.9/a/1.jpg"


def test_without_an_epoch_the_cameras_wall_clock_is_taken() -> None:
    clock = {"decyear": 2026, "decmon": 11, "decday": 23, "dechour": 7, "decmin": 5, "decsec": 2, "sec": 0}
    assert one(passage(timeStamp={"Timeval": clock})).device_time == dt.datetime(2026, 11, 23, 7, 5, 2)


def test_the_time_of_sending_never_stands_for_the_time_of_the_passage() -> None:
    reading = one(passage(timeStamp=None))
    assert (reading.device_time, reading.marks) == (None, ("time_missing",))
    assert one(passage(timeStamp={"Timeval": {"sec": "x"}})).marks == ("time_unreadable",)


def test_a_record_kept_while_offline_is_late_and_the_camera_is_told_to_go_on() -> None:
    decoded = pushed(isoffline=1)
    assert one(decoded).late is True
    assert json.loads(decoded.reply.body) == {
        "Response_AlarmInfoPlate": {"ContinuePushOffline": {"plateid": 5150, "continue": 1}}
    }
    assert one(mqtt("up/offline_record", envelope("offline_record", alarm(result())))).late is True


def test_a_record_sent_again_has_the_same_identity() -> None:
    first, again = one(pushed(isoffline=1)), one(pushed(isoffline=1))
    assert (first.type, first.record_id, first.device_time) == (
        again.type,
        again.record_id,
        again.device_time,
    )


def test_no_reply_ever_opens_the_barrier() -> None:
    for decoded in (pushed(), pushed(isoffline=1), pushed(triggerType=65), push(alarm({}, heartbeat=1))):
        assert "info" not in json.loads(decoded.reply.body)["Response_AlarmInfoPlate"]


def test_a_refused_push_is_answered_from_its_broken_bytes_so_that_it_does_not_come_for_ever() -> None:
    broken = Incoming(
        "/plate", b'{"AlarmInfoPlate": {"isoffline": 1, "plateid": 77, "license": "', "application/json"
    )
    assert refusal(broken.topic, broken.body, broken.content_type).reason == "malformed_json"
    reply = ADAPTER.refused(broken, "malformed_json").reply
    assert json.loads(reply.body)["Response_AlarmInfoPlate"] == {
        "ContinuePushOffline": {"plateid": 77, "continue": 1}
    }
    over_mqtt = Incoming(f"device/{SN}/message/up/ivs_result", broken.body)
    assert ADAPTER.refused(over_mqtt, "malformed_json").reply is None


def test_keep_alive_is_a_sign_of_life() -> None:
    decoded = mqtt("up/keep_alive", envelope("keep_alive", {"body": {"timestamp": EPOCH}}, bv=16771))
    [sign] = decoded.signs
    assert (decoded.sender, sign.online, sign.facts) == (SN, True, {"firmware": "16771"})
    assert sign.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)


def test_a_camera_is_alive_by_http_and_its_login_is_not_looked_at() -> None:
    fields = {
        "device_name": "IVS",
        "ipaddr": "192.0.2.44",
        "user_name": "admin",
        "pass_wd": "s3cret",
        "serialno": SN,
    }
    parts = "".join(
        f'--b7\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()
    )
    decoded = ADAPTER.decode(
        Incoming("/hb", f"{parts}--b7--\r\n".encode(), "multipart/form-data; boundary=b7")
    )
    [sign] = decoded.signs
    assert (decoded.sender, sign.facts) == (SN, {"ip": "192.0.2.44", "name": "IVS"})
    assert decoded.dropped == ("user_name", "pass_wd")
    assert decoded.reply is not None
    [older] = push({"AlarmInfoPlate": {"serialno": SN, "ipaddr": "192.0.2.44", "heartbeat": 1}}).signs
    assert older.online is True


def test_a_barriers_state_is_an_event_only_where_it_changes() -> None:
    def gate(**body: object) -> Decoded:
        told = {"connect_status": 1, "enable": 1, "gate_ctrl_id": 1} | body
        return mqtt("up/barr_gate_status", envelope("barr_gate_status", {"body": told}))

    opened, closed = one(gate(gate_status=1)), one(gate(gate_status=0))
    assert (opened.type, opened.point) == ("barrier.opened", ("barrier:1", "opened"))
    assert (closed.type, closed.point) == ("barrier.closed", ("barrier:1", "closed"))
    assert opened.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)
    lost = one(gate(gate_status=0, connect_status=0))
    assert (lost.type, lost.point) == ("device.fault", ("barrier:1", "unreachable"))
    assert gate(gate_status=2).ignored == "no_change"
    assert gate(gate_status=0, enable=0).ignored == "configuration"


def test_inputs_serial_lines_and_previews_are_no_events() -> None:
    gio = {"AlarmGioIn": {"serialno": SN, "result": {"TriggerResult": {"source": 0, "value": 1}}}}
    assert mqtt("up/gpio_in", envelope("gpio_in", {"body": gio})).ignored == "not_security"
    decoded = push(gio)
    assert (decoded.sender, decoded.ignored, decoded.readings) == (SN, "not_security", ())
    assert mqtt("up/serial_data", envelope("serial_data", {})).ignored == "not_security"
    assert mqtt("up/quick_ivs_result", envelope("quick_ivs_result", alarm(result()))).ignored == "no_change"


def lane(event: int, **changes: object) -> Decoded:
    told = {
        "time": "2026-11-23 07:15:02", "result_id": 31, "isoffline": 0, "event_type": event, "group_id_str": "g9",
        "result": [{"plate_result": {"color_type": b64("蓝色"), "confidence": 70, "license": b64("云M12345"),
                                     "type": b64("小型车")},
                    "full_image": {"full_image_path": b64("imgs/31.jpg")}}],
    } | changes  # fmt: skip
    return mqtt("up/lanectrl_result", envelope("lanectrl_result", told))


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (81, ["video.loitering", "plate.recognised"]),
        (82, ["vehicle.stranded"]),
        (83, ["plate.recognised"]),
        (84, ["vehicle.turned_back"]),
        (85, ["video.tailgating", "plate.recognised"]),
        (112, ["vehicle.stranded"]),
        (7, ["plate.recognised"]),
    ],
)
def test_the_lanes_own_watch_tells_what_stays_and_what_turns_back(event: int, kinds: list[str]) -> None:
    assert [reading.type for reading in lane(event).readings] == kinds


def test_a_lane_event_has_names_for_colours_in_base64_and_a_wall_clock() -> None:
    reading = lane(82).readings[0]
    assert (reading.record_id, reading.device_time) == ("lane:31", dt.datetime(2026, 11, 23, 7, 15, 2))
    assert (reading.plate.text, reading.plate.confidence, reading.plate.color) == ("云M12345", 0.7, "blue")
    assert reading.attributes == {
        "event": "vehicle_stranded", "group": "g9", "plate_type": "小型车", "picture_path": "imgs/31.jpg",
    }  # fmt: skip
    assert lane(7).readings[0].marks == ("undocumented_code",)


@pytest.mark.parametrize(("event", "kind"), [(97, "video.crowd"), (113, "vehicle.stranded")])
def test_a_lane_that_is_clear_again_ends_what_was_seen_in_it(event: int, kind: str) -> None:
    over = one(lane(event))
    assert (over.type, over.record_id, over.attributes["ended"]) == (kind, "over:lane:31", True)
    assert (over.plate, over.pictures, over.device_time) == (
        None,
        (),
        dt.datetime(2026, 11, 23, 7, 15, 2),
    )
    assert "picture_path" not in over.attributes
    several = lane(event, result=[{}, {}])
    assert len(several.readings) == 1, "however many were there"


def test_what_73_ends_nobody_knows() -> None:
    assert (lane(73).readings, lane(73).ignored) == ((), "cleared_state")


def test_a_snapshot_that_was_asked_for_is_a_picture_of_the_lane() -> None:
    reading = one(mqtt("up/snapshot", envelope("snapshot", {"state_code": 200, "image_content": b64(JPEG)})))
    assert (reading.type, reading.record_id, reading.pictures) == (
        "plate.recognised", "snapshot:m1Xq", (("scene", JPEG),),
    )  # fmt: skip
    assert (
        mqtt("up/snapshot", envelope("snapshot", {"state_code": 200, "image_content": ""})).ignored
        == "answer"
    )


def test_unknown_fields_are_kept_and_personal_ones_are_not() -> None:
    decoded = passage(wheels=4, driver={"gender": 1, "belt": 1}, timeUsed=3)
    reading = one(decoded)
    assert (reading.attributes["wheels"], reading.attributes["driver"]) == (4, {"belt": 1})
    assert "timeUsed" not in reading.attributes
    assert reading.marks == ("unknown_fields",)
    assert decoded.dropped == ("AlarmInfoPlate.result.PlateResult.driver.gender",)


def test_answers_to_commands_carry_the_vendors_code() -> None:
    done = envelope("gpio_out", None, code=200, id="c-1")
    [result_of] = mqtt("down/gpio_out/reply", done).results
    assert (result_of.command_id, result_of.ok, result_of.code) == ("c-1", True, "200")
    [failed] = mqtt("down/tts_voice/reply", envelope("tts_voice", None, code=500, id="c-2")).results
    assert (failed.command_id, failed.ok, failed.code, failed.command) == ("c-2", False, "500", "speak")


def test_commands_and_what_a_server_answers_are_no_events() -> None:
    command = json.dumps(envelope("gpio_out", {"type": "gpio_out", "body": {"io": 0}})).encode()
    assert refusal(f"device/{SN}/message/down/gpio_out", command).reason == "command_not_event"
    assert refusal("", command).reason == "command_not_event"
    bare = json.dumps(envelope("gate_direct_open", None)).encode()
    assert refusal("", bare).reason == "command_not_event"
    opens = b'{"Response_AlarmInfoPlate": {"info": "ok"}}'
    assert refusal("", opens).reason == "command_not_event"


def test_what_is_not_a_cameras_is_refused() -> None:
    assert refusal("mqtt/face/heartbeat", b"{}").reason == "wrong_topic"
    assert refusal(f"device/{SN}/message/up/party", b"{}").reason == "unknown_type"
    assert refusal(f"device/{SN}/message/up/ivs_result", b"[]").reason == "not_an_object"
    assert refusal(f"device/{SN}/message/up/ivs_result", b"{}").reason == "missing_field"
    long = json.dumps(envelope("ivs_result", alarm(result(license=b64("云" * 40))))).encode()
    assert refusal(f"device/{SN}/message/up/ivs_result", long).reason == "invalid_field"


def test_a_zero_byte_behind_and_a_mark_before_the_json_do_no_harm() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(envelope("ivs_result", alarm(result()))).encode() + b"\n\0"
    assert one(ADAPTER.decode(Incoming(f"device/{SN}/message/up/ivs_result", body))).plate.text == "云M12345"


def test_old_firmware_pushes_plain_gbk() -> None:
    body = json.dumps(alarm(result(license="云M12345")), ensure_ascii=False).encode("gbk")
    assert one(ADAPTER.decode(Incoming("/device/push/result", body))).plate.text == "云M12345"


def sent(kind: str, **arguments: object) -> tuple[str, dict]:
    first, second = ADAPTER.encode(Order("c-9", kind, SN, AT, arguments))
    assert first.payload == second.payload
    assert (first.topic, second.topic) == (
        first.topic, f"{SN}/device/message/down/{first.topic.rpartition('/')[2]}",
    )  # fmt: skip
    told = json.loads(first.payload)
    assert (told["id"], told["sn"], told["timestamp"], first.qos) == ("c-9", SN, EPOCH, 1)
    return first.topic, told["payload"]


@pytest.mark.parametrize(("seconds", "delay"), [(None, 1500), (0.1, 500), (2, 2000), (60, 5000)])
def test_commands_open_by_a_pulse_that_the_camera_takes(seconds: float | None, delay: int) -> None:
    topic, payload = sent("open") if seconds is None else sent("open", seconds=seconds)
    assert topic == f"device/{SN}/message/down/gpio_out"
    assert payload == {"type": "gpio_out", "body": {"io": 0, "value": 2, "delay": delay}}


def test_commands_close_hold_release_speak_and_set_the_clock() -> None:
    assert sent("close")[1]["body"] == {"io": 1, "value": 2, "delay": 3000}
    assert sent("hold")[1] == {"type": "set_io_lock_status", "body": {"ioout": 0, "status": 1}}
    assert sent("release")[1]["body"] == {"ioout": 0, "status": 0}
    topic, spoken = sent("speak", text="请倒车")
    assert topic.endswith("/tts_voice")
    assert base64.b64decode(spoken["body"]["voice_data"]).decode() == "请倒车"
    assert sent("snapshot") == (f"device/{SN}/message/down/snapshot", {"type": "snapshot", "body": {}})
    assert sent("sync_time")[1]["body"] == {
        "year": "2026", "month": "11", "day": "23", "hour": "07", "min": "15", "sec": "02",
    }  # fmt: skip


def test_no_command_holds_the_way_shut() -> None:
    for kind in ADAPTER.commands:
        payload = sent(kind, text="x")[1]
        assert payload["body"].get("status") != 2


def test_person_lists_are_not_put_on_a_plate_camera() -> None:
    with pytest.raises(UnsupportedError):
        ADAPTER.encode(Order("c-9", "enrol", SN, AT))
