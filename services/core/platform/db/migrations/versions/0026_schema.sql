-- The schema of 0026, as pg_dump writes it. Later migrations are added beside it; this file never changes.

CREATE SCHEMA checkin_months;

CREATE FUNCTION public.checkin_drop_month(first_tst bigint, oldest timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $_$
DECLARE
    name text := 'checkin_' || to_char(to_timestamp(first_tst) AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    LOCK TABLE public.checkin IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(format('checkin_months.%I', name)) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE public.checkin DETACH PARTITION checkin_months.%I', name);
    EXECUTE format(
        'INSERT INTO checkin_months.checkin_default SELECT * FROM checkin_months.%I WHERE happened_at >= $1', name)
        USING oldest;
    EXECUTE format('DROP TABLE checkin_months.%I', name);
END $_$;

CREATE FUNCTION public.checkin_make_month(first_tst bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
    month timestamp := to_timestamp(first_tst) AT TIME ZONE 'UTC';
    after_tst bigint := extract(epoch FROM (month + interval '1 month') AT TIME ZONE 'UTC');
    name text := 'checkin_' || to_char(month, 'YYYY_MM');
    moved bigint;
BEGIN
    IF month <> date_trunc('month', month) THEN
        RAISE EXCEPTION 'no first second of a month' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- The whole table at once: a writer between our steps would wait for us with a lock that we need.
    LOCK TABLE public.checkin IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(format('checkin_months.%I', name)) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE checkin_months.%I (LIKE public.checkin INCLUDING ALL)', name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM checkin_months.checkin_default WHERE tst >= %s AND tst < %s RETURNING *)'
        ' INSERT INTO checkin_months.%I SELECT * FROM moved', first_tst, after_tst, name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format(
        'ALTER TABLE public.checkin ATTACH PARTITION checkin_months.%I FOR VALUES FROM (%s) TO (%s)',
        name, first_tst, after_tst);
    RETURN moved;
END $$;

CREATE FUNCTION public.lease_is_held(lease_name text, held_token bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('lease/' || lease_name, 0));
    RETURN EXISTS (SELECT FROM lease WHERE name = lease_name AND token = held_token);
END
$$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$;

CREATE TABLE public.checkin (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    tst bigint NOT NULL,
    child_id uuid NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    content_mark bytea NOT NULL,
    quality character varying(4) NOT NULL,
    reasons character varying(160) NOT NULL,
    accuracy_m double precision,
    source character varying(32),
    sealed_place bytea NOT NULL
)
PARTITION BY RANGE (tst);

CREATE TABLE checkin_months.checkin_default (
    username character varying(32) CONSTRAINT checkin_username_not_null NOT NULL,
    ref character varying(36) CONSTRAINT checkin_ref_not_null NOT NULL,
    tst bigint CONSTRAINT checkin_tst_not_null NOT NULL,
    child_id uuid CONSTRAINT checkin_child_id_not_null NOT NULL,
    happened_at timestamp with time zone CONSTRAINT checkin_happened_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT checkin_received_at_not_null NOT NULL,
    content_mark bytea CONSTRAINT checkin_content_mark_not_null NOT NULL,
    quality character varying(4) CONSTRAINT checkin_quality_not_null NOT NULL,
    reasons character varying(160) CONSTRAINT checkin_reasons_not_null NOT NULL,
    accuracy_m double precision,
    source character varying(32),
    sealed_place bytea CONSTRAINT checkin_sealed_place_not_null NOT NULL
);

CREATE TABLE public.alert (
    alert_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    kind character varying(16) NOT NULL,
    username character varying(32),
    watch_id uuid,
    ref character varying(36),
    subject_id uuid,
    happened_at timestamp with time zone,
    raised_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by uuid,
    seen_by character varying(12),
    seen_told_at timestamp with time zone,
    escalate_at timestamp with time zone,
    escalated_to jsonb NOT NULL,
    sent_ref character varying(36)
);

CREATE TABLE public.audio_upload (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    size_bytes integer NOT NULL,
    received_at timestamp with time zone NOT NULL
);

CREATE TABLE public.audio_upload_total (
    username character varying(32) NOT NULL,
    size_bytes integer NOT NULL
);

CREATE TABLE public.audit (
    audit_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_kind character varying(10) NOT NULL,
    actor_id character varying(40) NOT NULL,
    action character varying(40) NOT NULL,
    outcome character varying(10) NOT NULL,
    reason character varying(40) NOT NULL,
    family_id uuid,
    subject_id character varying(40) NOT NULL,
    chain_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    asked character varying(120) DEFAULT ''::character varying NOT NULL,
    times integer DEFAULT 1 NOT NULL
);

CREATE TABLE public.audit_chain (
    chain_id uuid NOT NULL,
    length bigint NOT NULL,
    head bytea NOT NULL
);

CREATE TABLE public.blob (
    blob_id uuid NOT NULL,
    child_id uuid,
    state character varying(10) NOT NULL,
    size_bytes integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    export_id uuid
);

CREATE TABLE public.break_glass (
    break_glass_id uuid NOT NULL,
    family_id uuid NOT NULL,
    site_id uuid NOT NULL,
    reason character varying(500) NOT NULL,
    tell_after_days integer NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    approved_by uuid,
    delay_approved_by uuid,
    opened_at timestamp with time zone,
    closes_at timestamp with time zone,
    tell_at timestamp with time zone,
    told_at timestamp with time zone
);

CREATE TABLE public.child (
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    name character varying(40) NOT NULL,
    birth_year integer,
    wrapped_key bytea NOT NULL,
    message_seq bigint NOT NULL,
    inbox_seq bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sealed_birth_date bytea,
    erased_at timestamp with time zone
);

CREATE TABLE public.child_agreement (
    agreement_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    recorded_by uuid,
    how character varying(10) NOT NULL,
    witness character varying(40),
    form_number character varying(40),
    given_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone
);

CREATE TABLE public.clip (
    clip_id uuid NOT NULL,
    child_id uuid NOT NULL,
    blob_id uuid,
    size_bytes integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    claimed_codec character varying(32),
    claimed_ms integer,
    state character varying(10) NOT NULL,
    media character varying(12),
    channels integer,
    duration_ms integer,
    sealed_bars bytea,
    tries integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    gone_at timestamp with time zone
);

CREATE TABLE public.clip_chunk (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    number integer NOT NULL,
    size_bytes integer NOT NULL,
    sealed_sound bytea NOT NULL,
    received_at timestamp with time zone NOT NULL
);

CREATE TABLE public.cohort (
    cohort_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    starts_on date,
    ends_on date,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.consent (
    consent_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    family_id uuid NOT NULL,
    part character varying(20) NOT NULL,
    text_version character varying(20) NOT NULL,
    locale character varying(12) NOT NULL,
    how character varying(10) NOT NULL,
    given_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    witness character varying(40),
    form_number character varying(40)
);

CREATE TABLE public.contact (
    contact_id uuid NOT NULL,
    child_id uuid NOT NULL,
    wire_id character varying(12) NOT NULL,
    guardian_id uuid,
    name character varying(40) NOT NULL,
    relation character varying(20) NOT NULL,
    number character varying(16),
    may_message boolean NOT NULL,
    may_call boolean NOT NULL,
    "position" integer NOT NULL,
    emergency boolean NOT NULL,
    state character varying(10) NOT NULL,
    proposed_by uuid,
    approved_by uuid,
    created_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone
);

CREATE TABLE public.contact_list (
    child_id uuid NOT NULL,
    version integer NOT NULL,
    last_number integer NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.contest (
    contest_id uuid NOT NULL,
    family_id uuid NOT NULL,
    raised_by uuid NOT NULL,
    about_id uuid NOT NULL,
    "right" character varying(10) NOT NULL,
    state character varying(10) NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE public.contest_decision (
    decision_id uuid NOT NULL,
    contest_id uuid NOT NULL,
    family_id uuid NOT NULL,
    site_id uuid NOT NULL,
    upholds boolean NOT NULL,
    document character varying(20) NOT NULL,
    number_hash bytea NOT NULL,
    state character varying(10) NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    approved_by uuid,
    due_at timestamp with time zone,
    ended_at timestamp with time zone
);

CREATE TABLE public.database_mark (
    mark character varying(80) NOT NULL
);

CREATE TABLE public.enrolment (
    enrolment_id uuid NOT NULL,
    family_id uuid NOT NULL,
    site_id uuid NOT NULL,
    cohort_id uuid NOT NULL,
    guardian_phone character varying(16) NOT NULL,
    enrolled_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason character varying(20),
    form_number character varying(40)
);

CREATE TABLE public.erasure (
    erasure_id uuid NOT NULL,
    what character varying(10) NOT NULL,
    subject_id uuid NOT NULL,
    family_id uuid NOT NULL,
    asked_by uuid,
    asked_at timestamp with time zone NOT NULL,
    rows_gone_at timestamp with time zone
);

CREATE TABLE public.erasure_ledger (
    erasure_id uuid NOT NULL,
    what character varying(10) NOT NULL,
    subject_id uuid NOT NULL,
    family_id uuid NOT NULL,
    written_at timestamp with time zone NOT NULL
);

CREATE TABLE public.event (
    family_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind character varying(30) NOT NULL,
    child_id uuid,
    ref_id uuid,
    guardian_id uuid,
    needs_right character varying(10) NOT NULL,
    detail jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.export (
    export_id uuid NOT NULL,
    family_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    state character varying(10) NOT NULL,
    percent integer NOT NULL,
    wrapped_key bytea NOT NULL,
    size_bytes integer NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ready_at timestamp with time zone,
    expires_at timestamp with time zone,
    claimed_until timestamp with time zone,
    tries integer NOT NULL
);

CREATE TABLE public.fact (
    fact_id uuid NOT NULL,
    kind character varying(30) NOT NULL,
    watch_id uuid,
    child_id uuid,
    family_id uuid,
    ref_id uuid,
    happened_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    voice_ms integer,
    counted boolean DEFAULT false NOT NULL
);

CREATE TABLE public.family (
    family_id uuid NOT NULL,
    family_code character varying(20) NOT NULL,
    event_seq bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone
);

CREATE TABLE public.family_day (
    family_id uuid NOT NULL,
    day date NOT NULL,
    to_child integer NOT NULL,
    to_family integer NOT NULL,
    voice_s integer NOT NULL,
    delivered integer NOT NULL,
    delivered_5_min integer NOT NULL,
    delivered_24_h integer NOT NULL,
    played_7_d integer NOT NULL,
    calls integer NOT NULL,
    call_s integer NOT NULL,
    worn_s integer NOT NULL,
    child_waits jsonb NOT NULL,
    parent_waits jsonb NOT NULL,
    reminders integer NOT NULL,
    reminders_followed integer NOT NULL
);

CREATE TABLE public.family_ending (
    family_id uuid NOT NULL,
    told_at timestamp with time zone NOT NULL
);

CREATE TABLE public.guardian (
    guardian_id uuid NOT NULL,
    phone character varying(16) NOT NULL,
    display_name character varying(40) NOT NULL,
    locale character varying(12) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    pin_hash bytea,
    awaits_first_log_in boolean DEFAULT false NOT NULL,
    busy_until_at timestamp with time zone,
    phone_confirmed_at timestamp with time zone
);

CREATE TABLE public.guardian_device (
    device_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    trusted_at timestamp with time zone
);

CREATE TABLE public.hand_out (
    hand_out_id uuid NOT NULL,
    site_id uuid NOT NULL,
    opened_by uuid NOT NULL,
    code_hash bytea NOT NULL,
    families integer NOT NULL,
    codes_left integer NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closes_at timestamp with time zone NOT NULL
);

CREATE TABLE public.help_request (
    help_id uuid NOT NULL,
    family_id uuid NOT NULL,
    child_id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
);

CREATE TABLE public.inbox_item (
    inbox_item_id uuid NOT NULL,
    child_id uuid NOT NULL,
    seq bigint NOT NULL,
    ref character varying(36) NOT NULL,
    kind character varying(10) NOT NULL,
    message_id uuid,
    removed_ref character varying(36),
    state character varying(10) NOT NULL,
    announced_to character varying(32),
    announced_at timestamp with time zone,
    announcements integer NOT NULL,
    next_announce_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    fetched_from integer NOT NULL,
    fetch_stalls integer NOT NULL,
    fetch_restarts integer NOT NULL,
    aside_until timestamp with time zone
);

CREATE TABLE public.invitation (
    invitation_id uuid NOT NULL,
    family_id uuid NOT NULL,
    phone character varying(16) NOT NULL,
    display_name character varying(40) NOT NULL,
    relation character varying(20) NOT NULL,
    may_message boolean NOT NULL,
    may_locate boolean NOT NULL,
    may_manage boolean NOT NULL,
    invited_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason character varying(12)
);

CREATE TABLE public.kept_message (
    message_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    kept_at timestamp with time zone NOT NULL
);

CREATE TABLE public.latest_checkin (
    child_id uuid NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    accuracy_m double precision NOT NULL,
    source character varying(32),
    sealed_place bytea NOT NULL,
    suspect_at timestamp with time zone,
    suspect_accuracy_m double precision,
    sealed_suspect bytea,
    witnessed_at timestamp with time zone,
    suspect_source character varying(32)
);

CREATE TABLE public.lease (
    name character varying(40) NOT NULL,
    holder character varying(100) NOT NULL,
    token bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE UNLOGGED TABLE public.limit_bucket (
    bucket_key bytea NOT NULL,
    tokens double precision NOT NULL,
    granted boolean NOT NULL,
    filled_at timestamp with time zone NOT NULL,
    full_at timestamp with time zone NOT NULL
);

CREATE TABLE public.log_in_slip (
    slip_id uuid NOT NULL,
    hand_out_id uuid NOT NULL,
    family_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    printed_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.login_challenge (
    challenge_id uuid NOT NULL,
    phone character varying(16) NOT NULL,
    code_hash bytea NOT NULL,
    tries integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    secret_hash bytea DEFAULT '\x'::bytea NOT NULL,
    asked_by bytea DEFAULT '\x'::bytea NOT NULL
);

CREATE TABLE public.low_battery (
    username character varying(32) NOT NULL,
    since_at timestamp with time zone NOT NULL
);

CREATE TABLE public.membership (
    membership_id uuid NOT NULL,
    family_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    relation character varying(20) NOT NULL,
    is_primary boolean NOT NULL,
    may_message boolean NOT NULL,
    may_locate boolean NOT NULL,
    may_manage boolean NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    number_hidden boolean NOT NULL,
    locate_paused boolean NOT NULL
);

CREATE TABLE public.message (
    message_id uuid NOT NULL,
    child_id uuid NOT NULL,
    seq bigint NOT NULL,
    direction character varying(10) NOT NULL,
    kind character varying(10) NOT NULL,
    guardian_id uuid,
    client_key character varying(100),
    username character varying,
    ref character varying(36) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    sealed_body bytea NOT NULL,
    sent_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    clip_id uuid
);

CREATE TABLE public.message_recipient (
    recipient_id uuid NOT NULL,
    message_id uuid NOT NULL,
    guardian_id uuid,
    contact_wire_id character varying(12),
    state character varying(10) NOT NULL,
    detail character varying(30),
    changed_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    played_at timestamp with time zone,
    seen_state character varying(10),
    told_state character varying(10),
    told_at timestamp with time zone
);

CREATE TABLE public.notice (
    notice_id uuid NOT NULL,
    cohort_id uuid,
    family_id uuid,
    kind character varying(16) NOT NULL,
    text character varying(500) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_notice_notice_one_of CHECK (((cohort_id IS NULL) <> (family_id IS NULL)))
);

CREATE TABLE public.nudge (
    nudge_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    child_id uuid NOT NULL,
    local_day date NOT NULL,
    nudged_at timestamp with time zone NOT NULL,
    judged_at timestamp with time zone
);

CREATE TABLE public.nudge_wanted (
    guardian_id uuid NOT NULL,
    since_at timestamp with time zone NOT NULL
);

CREATE TABLE public.open_stream (
    stream_no bigint NOT NULL,
    session_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL
);

CREATE SEQUENCE public.open_stream_stream_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.open_stream_stream_no_seq OWNED BY public.open_stream.stream_no;

CREATE TABLE public.outbox (
    outbox_id bigint NOT NULL,
    kind character varying(10) NOT NULL,
    target character varying(40) NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    available_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    priority smallint NOT NULL,
    claimed_until timestamp with time zone
);

CREATE SEQUENCE public.outbox_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.outbox_outbox_id_seq OWNED BY public.outbox.outbox_id;

CREATE TABLE public.pairing (
    pairing_id uuid NOT NULL,
    watch_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    username character varying(32) NOT NULL,
    sealed_password bytea,
    issued_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_reason character varying(12)
);

CREATE TABLE public.pairing_attempt (
    pairing_attempt_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.pairing_code (
    pairing_code_id uuid NOT NULL,
    watch_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    sealed_code bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    pairing_id uuid
);

CREATE TABLE public.phone_upload (
    upload_id uuid NOT NULL,
    child_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    client_key character varying(100) NOT NULL,
    size_bytes integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    "offset" integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.phone_upload_part (
    upload_id uuid NOT NULL,
    "offset" integer NOT NULL,
    sealed_sound bytea NOT NULL
);

CREATE TABLE public.programme (
    programme_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_on date
);

CREATE TABLE public.push_endpoint (
    endpoint_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    session_id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    mark bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    failing_since_at timestamp with time zone
);

CREATE TABLE public.quiet_since (
    child_id uuid NOT NULL,
    since_at timestamp with time zone NOT NULL,
    quiet jsonb NOT NULL,
    timezone character varying(40) NOT NULL
);

CREATE TABLE public.recovery (
    recovery_id uuid NOT NULL,
    family_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    guardian_id uuid NOT NULL,
    new_phone character varying(16) NOT NULL,
    state character varying(10) NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    approved_by uuid,
    due_at timestamp with time zone,
    ended_at timestamp with time zone,
    document character varying(20) NOT NULL,
    number_hash bytea NOT NULL
);

CREATE TABLE public.refresh_token (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.rendition (
    rendition_id uuid NOT NULL,
    clip_id uuid NOT NULL,
    form character varying(10) NOT NULL,
    max_bytes integer NOT NULL,
    blob_id uuid,
    failure character varying(30),
    size_bytes integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    duration_ms integer NOT NULL,
    bit_rate integer NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.safe_zone (
    zone_id uuid NOT NULL,
    child_id uuid NOT NULL,
    sealed_body bytea NOT NULL,
    hours jsonb NOT NULL,
    stand character varying(8) NOT NULL,
    outside_fixes integer NOT NULL,
    since_at timestamp with time zone,
    created_by uuid,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.session (
    session_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason character varying(20),
    device_id uuid,
    limited boolean DEFAULT false NOT NULL
);

CREATE TABLE public.sim_month (
    watch_id uuid NOT NULL,
    month date NOT NULL,
    used_mb integer NOT NULL
);

CREATE TABLE public.site (
    site_id uuid NOT NULL,
    programme_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    country character varying(2) NOT NULL,
    timezone character varying(40) NOT NULL,
    locale character varying(12) NOT NULL,
    kind character varying(20) NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.sos_place (
    alert_id uuid NOT NULL,
    child_id uuid NOT NULL,
    happened_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    accuracy_m double precision,
    source character varying(32),
    sealed_place bytea NOT NULL
);

CREATE TABLE public.staff (
    staff_id uuid NOT NULL,
    email character varying(254) NOT NULL,
    display_name character varying(80) NOT NULL,
    role character varying(20) NOT NULL,
    password_hash character varying(200) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    sealed_totp bytea,
    totp_confirmed_at timestamp with time zone,
    totp_used_step bigint,
    phone character varying(16),
    first_password_ends_at timestamp with time zone,
    reset_at timestamp with time zone,
    employed_by_factory boolean NOT NULL,
    is_founding boolean NOT NULL,
    reset_by_two boolean NOT NULL,
    appointed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.staff_origin (
    staff_id uuid NOT NULL,
    by_staff_id uuid NOT NULL,
    since_at timestamp with time zone NOT NULL
);

CREATE TABLE public.staff_recovery_code (
    code_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.staff_refresh_token (
    token_hash bytea NOT NULL,
    staff_session_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.staff_request (
    request_id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    email character varying(254) NOT NULL,
    display_name character varying(80) NOT NULL,
    role character varying(20) NOT NULL,
    phone character varying(16),
    employed_by_factory boolean NOT NULL,
    programme_id uuid,
    site_id uuid,
    staff_id uuid,
    state character varying(10) NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    approved_by uuid,
    ended_at timestamp with time zone
);

CREATE TABLE public.staff_scope (
    staff_scope_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    programme_id uuid,
    site_id uuid,
    CONSTRAINT ck_staff_scope_staff_scope_one_of CHECK (((programme_id IS NULL) <> (site_id IS NULL)))
);

CREATE TABLE public.staff_session (
    staff_session_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason character varying(20)
);

CREATE TABLE public.survey (
    survey_id uuid NOT NULL,
    programme_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone
);

CREATE TABLE public.survey_answer (
    survey_id uuid NOT NULL,
    question character varying(30) NOT NULL,
    family_id uuid NOT NULL,
    wave character varying(10) NOT NULL,
    answer double precision NOT NULL,
    noted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.survey_question (
    survey_id uuid NOT NULL,
    question character varying(30) NOT NULL,
    kind character varying(10) NOT NULL,
    label character varying(200) NOT NULL,
    "least" double precision,
    most double precision
);

CREATE TABLE public.survey_report (
    survey_id uuid NOT NULL,
    scope_id uuid NOT NULL,
    comparisons jsonb NOT NULL
);

CREATE TABLE public.training_attended (
    enrolment_id uuid NOT NULL,
    training character varying(30) NOT NULL,
    attended_on date NOT NULL,
    noted_at timestamp with time zone NOT NULL
);

CREATE TABLE public.uplink (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    kind character varying(12) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    code character varying(12) NOT NULL,
    detail character varying(30),
    received_at timestamp with time zone NOT NULL
);

CREATE TABLE public.usage_cell (
    audience character varying(8) NOT NULL,
    programme_id uuid NOT NULL,
    scope_id uuid NOT NULL,
    week date NOT NULL,
    indicator character varying(30) NOT NULL,
    version integer NOT NULL,
    n integer,
    count integer,
    value double precision,
    lower_quartile double precision,
    upper_quartile double precision
);

CREATE TABLE public.usage_export (
    usage_export_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    programme_id uuid NOT NULL,
    site_id uuid,
    kind character varying(10) NOT NULL,
    recipient character varying(10) NOT NULL,
    locale character varying(12) NOT NULL,
    mapping jsonb NOT NULL,
    state character varying(10) NOT NULL,
    percent integer NOT NULL,
    wrapped_key bytea NOT NULL,
    size_bytes integer NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ready_at timestamp with time zone,
    expires_at timestamp with time zone,
    claimed_until timestamp with time zone,
    tries integer NOT NULL
);

CREATE TABLE public.usage_export_file (
    usage_export_id uuid NOT NULL,
    sealed bytea NOT NULL
);

CREATE TABLE public.usage_population (
    quarter date NOT NULL,
    family_id uuid NOT NULL,
    programme_id uuid NOT NULL,
    site_id uuid NOT NULL,
    cohort_id uuid NOT NULL
);

CREATE TABLE public.usage_report (
    report_id uuid NOT NULL,
    watch_id uuid NOT NULL,
    family_id uuid NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    reboots integer,
    battery_min_pct integer,
    signal_min_dbm integer,
    offline_s integer,
    bytes_up bigint,
    bytes_down bigint,
    worn_s integer,
    screen_on_s integer,
    recordings integer,
    plays integer,
    calls_in integer,
    calls_out integer,
    call_s integer
);

CREATE TABLE public.usage_week (
    programme_id uuid NOT NULL,
    week date NOT NULL,
    quarter date NOT NULL,
    published_at timestamp with time zone NOT NULL,
    members jsonb NOT NULL,
    dark jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.watch (
    watch_id uuid NOT NULL,
    serial character varying(20) NOT NULL,
    imei character varying(15),
    model character varying(40) NOT NULL,
    site_id uuid NOT NULL,
    state character varying(12) NOT NULL,
    handed_out_to uuid,
    factory_password_hash character varying(200) NOT NULL,
    factory_secret_mark bytea,
    iccid character varying(22),
    sim_holder character varying(40),
    sim_expires_on date,
    registered_at timestamp with time zone NOT NULL,
    sim_number character varying(16),
    sim_quota_mb integer,
    refused_packets integer NOT NULL
);

CREATE TABLE public.watch_command (
    command_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    kind character varying(10) NOT NULL,
    asked_by uuid,
    by_wire_id character varying(12),
    state character varying(10) NOT NULL,
    detail character varying(32),
    ttl_s integer NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.watch_day (
    family_id uuid NOT NULL,
    watch_id uuid NOT NULL,
    day date NOT NULL,
    hours integer NOT NULL,
    reboots integer NOT NULL,
    battery_min_pct integer,
    signal_min_dbm integer,
    offline_s integer NOT NULL
);

CREATE TABLE public.watch_given (
    given_id uuid NOT NULL,
    watch_id uuid NOT NULL,
    family_id uuid NOT NULL,
    actor_kind character varying(10) NOT NULL,
    actor_id character varying(40) NOT NULL,
    previous_state character varying(12) NOT NULL,
    given_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone
);

CREATE TABLE public.watch_identity (
    username character varying(32) NOT NULL,
    watch_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    password_hash character varying(200) NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    installed_at timestamp with time zone,
    ended_at timestamp with time zone,
    online boolean NOT NULL,
    connection_nonce character varying(36) NOT NULL,
    last_hello_at timestamp with time zone,
    asleep_until_at timestamp with time zone,
    hello jsonb NOT NULL,
    contacts_acked_version integer NOT NULL,
    contacts_sent_version integer NOT NULL,
    contacts_sent_at timestamp with time zone,
    config_acked_version integer NOT NULL,
    config_sent_version integer NOT NULL,
    config_sent_at timestamp with time zone,
    repeats integer NOT NULL,
    gone_by character varying(10) NOT NULL,
    presence_since_at timestamp with time zone,
    keepalive_s integer NOT NULL,
    first_boot bigint,
    misdated_fixes integer NOT NULL
);

CREATE TABLE public.watch_presence (
    username character varying(32) NOT NULL,
    last_seen_at timestamp with time zone,
    battery_pct integer,
    battery_at timestamp with time zone,
    battery_before_pct integer,
    battery_before_at timestamp with time zone,
    clock_skew_s integer
);

CREATE TABLE public.watch_settings (
    child_id uuid NOT NULL,
    version integer NOT NULL,
    checkin_interval_s integer NOT NULL,
    location boolean NOT NULL,
    quiet jsonb NOT NULL,
    timezone character varying(40) NOT NULL,
    language character varying(12) NOT NULL,
    volume_pct integer NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    utc_offset_s integer
);

CREATE TABLE public.wipe_order (
    username character varying(32) NOT NULL,
    watch_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone,
    confirmed_at timestamp with time zone
);

CREATE TABLE public.zone_passage (
    passage_id uuid NOT NULL,
    zone_id uuid NOT NULL,
    child_id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    alarmed boolean NOT NULL
);

ALTER TABLE ONLY public.checkin ATTACH PARTITION checkin_months.checkin_default DEFAULT;

ALTER TABLE ONLY public.open_stream ALTER COLUMN stream_no SET DEFAULT nextval('public.open_stream_stream_no_seq'::regclass);

ALTER TABLE ONLY public.outbox ALTER COLUMN outbox_id SET DEFAULT nextval('public.outbox_outbox_id_seq'::regclass);

ALTER TABLE ONLY public.checkin
    ADD CONSTRAINT pk_checkin PRIMARY KEY (username, ref, tst);

ALTER TABLE ONLY checkin_months.checkin_default
    ADD CONSTRAINT checkin_default_pkey PRIMARY KEY (username, ref, tst);

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT pk_alert PRIMARY KEY (alert_id);

ALTER TABLE ONLY public.audio_upload
    ADD CONSTRAINT pk_audio_upload PRIMARY KEY (username, ref);

ALTER TABLE ONLY public.audio_upload_total
    ADD CONSTRAINT pk_audio_upload_total PRIMARY KEY (username);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (audit_id);

ALTER TABLE ONLY public.audit_chain
    ADD CONSTRAINT pk_audit_chain PRIMARY KEY (chain_id);

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT pk_blob PRIMARY KEY (blob_id);

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT pk_break_glass PRIMARY KEY (break_glass_id);

ALTER TABLE ONLY public.child
    ADD CONSTRAINT pk_child PRIMARY KEY (child_id);

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT pk_child_agreement PRIMARY KEY (agreement_id);

ALTER TABLE ONLY public.clip
    ADD CONSTRAINT pk_clip PRIMARY KEY (clip_id);

ALTER TABLE ONLY public.clip_chunk
    ADD CONSTRAINT pk_clip_chunk PRIMARY KEY (username, ref, number);

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT pk_cohort PRIMARY KEY (cohort_id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT pk_consent PRIMARY KEY (consent_id);

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT pk_contact PRIMARY KEY (contact_id);

ALTER TABLE ONLY public.contact_list
    ADD CONSTRAINT pk_contact_list PRIMARY KEY (child_id);

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT pk_contest PRIMARY KEY (contest_id);

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT pk_contest_decision PRIMARY KEY (decision_id);

ALTER TABLE ONLY public.database_mark
    ADD CONSTRAINT pk_database_mark PRIMARY KEY (mark);

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT pk_enrolment PRIMARY KEY (enrolment_id);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT pk_erasure PRIMARY KEY (erasure_id);

ALTER TABLE ONLY public.erasure_ledger
    ADD CONSTRAINT pk_erasure_ledger PRIMARY KEY (erasure_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (family_id, seq);

ALTER TABLE ONLY public.export
    ADD CONSTRAINT pk_export PRIMARY KEY (export_id);

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT pk_fact PRIMARY KEY (fact_id);

ALTER TABLE ONLY public.family
    ADD CONSTRAINT pk_family PRIMARY KEY (family_id);

ALTER TABLE ONLY public.family_day
    ADD CONSTRAINT pk_family_day PRIMARY KEY (family_id, day);

ALTER TABLE ONLY public.family_ending
    ADD CONSTRAINT pk_family_ending PRIMARY KEY (family_id);

ALTER TABLE ONLY public.guardian
    ADD CONSTRAINT pk_guardian PRIMARY KEY (guardian_id);

ALTER TABLE ONLY public.guardian_device
    ADD CONSTRAINT pk_guardian_device PRIMARY KEY (device_id);

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT pk_hand_out PRIMARY KEY (hand_out_id);

ALTER TABLE ONLY public.help_request
    ADD CONSTRAINT pk_help_request PRIMARY KEY (help_id);

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT pk_inbox_item PRIMARY KEY (inbox_item_id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT pk_invitation PRIMARY KEY (invitation_id);

ALTER TABLE ONLY public.kept_message
    ADD CONSTRAINT pk_kept_message PRIMARY KEY (message_id, guardian_id);

ALTER TABLE ONLY public.latest_checkin
    ADD CONSTRAINT pk_latest_checkin PRIMARY KEY (child_id);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (name);

ALTER TABLE ONLY public.limit_bucket
    ADD CONSTRAINT pk_limit_bucket PRIMARY KEY (bucket_key);

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT pk_log_in_slip PRIMARY KEY (slip_id);

ALTER TABLE ONLY public.login_challenge
    ADD CONSTRAINT pk_login_challenge PRIMARY KEY (challenge_id);

ALTER TABLE ONLY public.low_battery
    ADD CONSTRAINT pk_low_battery PRIMARY KEY (username);

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT pk_membership PRIMARY KEY (membership_id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT pk_message PRIMARY KEY (message_id);

ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT pk_message_recipient PRIMARY KEY (recipient_id);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT pk_notice PRIMARY KEY (notice_id);

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT pk_nudge PRIMARY KEY (nudge_id);

ALTER TABLE ONLY public.nudge_wanted
    ADD CONSTRAINT pk_nudge_wanted PRIMARY KEY (guardian_id);

ALTER TABLE ONLY public.open_stream
    ADD CONSTRAINT pk_open_stream PRIMARY KEY (stream_no);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (outbox_id);

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT pk_pairing PRIMARY KEY (pairing_id);

ALTER TABLE ONLY public.pairing_attempt
    ADD CONSTRAINT pk_pairing_attempt PRIMARY KEY (pairing_attempt_id);

ALTER TABLE ONLY public.pairing_code
    ADD CONSTRAINT pk_pairing_code PRIMARY KEY (pairing_code_id);

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT pk_phone_upload PRIMARY KEY (upload_id);

ALTER TABLE ONLY public.phone_upload_part
    ADD CONSTRAINT pk_phone_upload_part PRIMARY KEY (upload_id, "offset");

ALTER TABLE ONLY public.programme
    ADD CONSTRAINT pk_programme PRIMARY KEY (programme_id);

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT pk_push_endpoint PRIMARY KEY (endpoint_id);

ALTER TABLE ONLY public.quiet_since
    ADD CONSTRAINT pk_quiet_since PRIMARY KEY (child_id, since_at);

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT pk_recovery PRIMARY KEY (recovery_id);

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT pk_refresh_token PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT pk_rendition PRIMARY KEY (rendition_id);

ALTER TABLE ONLY public.safe_zone
    ADD CONSTRAINT pk_safe_zone PRIMARY KEY (zone_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT pk_session PRIMARY KEY (session_id);

ALTER TABLE ONLY public.sim_month
    ADD CONSTRAINT pk_sim_month PRIMARY KEY (watch_id, month);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT pk_site PRIMARY KEY (site_id);

ALTER TABLE ONLY public.sos_place
    ADD CONSTRAINT pk_sos_place PRIMARY KEY (alert_id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT pk_staff PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.staff_origin
    ADD CONSTRAINT pk_staff_origin PRIMARY KEY (staff_id, by_staff_id);

ALTER TABLE ONLY public.staff_recovery_code
    ADD CONSTRAINT pk_staff_recovery_code PRIMARY KEY (code_hash);

ALTER TABLE ONLY public.staff_refresh_token
    ADD CONSTRAINT pk_staff_refresh_token PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT pk_staff_request PRIMARY KEY (request_id);

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT pk_staff_scope PRIMARY KEY (staff_scope_id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT pk_staff_session PRIMARY KEY (staff_session_id);

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT pk_survey PRIMARY KEY (survey_id);

ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT pk_survey_answer PRIMARY KEY (survey_id, question, family_id, wave);

ALTER TABLE ONLY public.survey_question
    ADD CONSTRAINT pk_survey_question PRIMARY KEY (survey_id, question);

ALTER TABLE ONLY public.survey_report
    ADD CONSTRAINT pk_survey_report PRIMARY KEY (survey_id, scope_id);

ALTER TABLE ONLY public.training_attended
    ADD CONSTRAINT pk_training_attended PRIMARY KEY (enrolment_id, training);

ALTER TABLE ONLY public.uplink
    ADD CONSTRAINT pk_uplink PRIMARY KEY (username, ref);

ALTER TABLE ONLY public.usage_cell
    ADD CONSTRAINT pk_usage_cell PRIMARY KEY (audience, programme_id, scope_id, week, indicator);

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT pk_usage_export PRIMARY KEY (usage_export_id);

ALTER TABLE ONLY public.usage_export_file
    ADD CONSTRAINT pk_usage_export_file PRIMARY KEY (usage_export_id);

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT pk_usage_population PRIMARY KEY (quarter, family_id);

ALTER TABLE ONLY public.usage_report
    ADD CONSTRAINT pk_usage_report PRIMARY KEY (report_id);

ALTER TABLE ONLY public.usage_week
    ADD CONSTRAINT pk_usage_week PRIMARY KEY (programme_id, week);

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT pk_watch PRIMARY KEY (watch_id);

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT pk_watch_command PRIMARY KEY (command_id);

ALTER TABLE ONLY public.watch_day
    ADD CONSTRAINT pk_watch_day PRIMARY KEY (family_id, watch_id, day);

ALTER TABLE ONLY public.watch_given
    ADD CONSTRAINT pk_watch_given PRIMARY KEY (given_id);

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT pk_watch_identity PRIMARY KEY (username);

ALTER TABLE ONLY public.watch_presence
    ADD CONSTRAINT pk_watch_presence PRIMARY KEY (username);

ALTER TABLE ONLY public.watch_settings
    ADD CONSTRAINT pk_watch_settings PRIMARY KEY (child_id);

ALTER TABLE ONLY public.wipe_order
    ADD CONSTRAINT pk_wipe_order PRIMARY KEY (username);

ALTER TABLE ONLY public.zone_passage
    ADD CONSTRAINT pk_zone_passage PRIMARY KEY (passage_id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT uq_audit_chain_id_seq UNIQUE (chain_id, seq);

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT uq_cohort_site_id_name UNIQUE (site_id, name);

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT uq_contact_child_id_wire_id UNIQUE (child_id, wire_id);

ALTER TABLE ONLY public.family
    ADD CONSTRAINT uq_family_family_code UNIQUE (family_code);

ALTER TABLE ONLY public.guardian_device
    ADD CONSTRAINT uq_guardian_device_token_hash UNIQUE (token_hash);

ALTER TABLE ONLY public.guardian
    ADD CONSTRAINT uq_guardian_phone UNIQUE (phone);

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT uq_hand_out_code_hash UNIQUE (code_hash);

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT uq_inbox_item_child_id_ref UNIQUE (child_id, ref);

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT uq_inbox_item_child_id_seq UNIQUE (child_id, seq);

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT uq_log_in_slip_code_hash UNIQUE (code_hash);

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT uq_log_in_slip_hand_out_id_family_id UNIQUE (hand_out_id, family_id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT uq_message_child_id_seq UNIQUE (child_id, seq);

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT uq_nudge_guardian_id_local_day UNIQUE (guardian_id, local_day);

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT uq_pairing_username UNIQUE (username);

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT uq_phone_upload_guardian_id_client_key UNIQUE (guardian_id, client_key);

ALTER TABLE ONLY public.programme
    ADD CONSTRAINT uq_programme_name UNIQUE (name);

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT uq_push_endpoint_guardian_id_mark UNIQUE (guardian_id, mark);

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT uq_rendition_clip_id_form_max_bytes UNIQUE (clip_id, form, max_bytes);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT uq_site_programme_id_name UNIQUE (programme_id, name);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT uq_staff_email UNIQUE (email);

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT uq_staff_scope_staff_id_programme_id_site_id UNIQUE NULLS NOT DISTINCT (staff_id, programme_id, site_id);

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT uq_survey_programme_id_name UNIQUE (programme_id, name);

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT uq_watch_command_username_ref UNIQUE (username, ref);

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_factory_secret_mark UNIQUE (factory_secret_mark);

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_imei UNIQUE (imei);

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_serial UNIQUE (serial);

CREATE INDEX checkin_of_child ON ONLY public.checkin USING btree (child_id, happened_at);

CREATE INDEX checkin_default_child_id_happened_at_idx ON checkin_months.checkin_default USING btree (child_id, happened_at);

CREATE INDEX checkin_by_time ON ONLY public.checkin USING brin (happened_at);

CREATE INDEX checkin_default_happened_at_idx ON checkin_months.checkin_default USING brin (happened_at);

CREATE INDEX alert_escalating ON public.alert USING btree (escalate_at) WHERE (escalate_at IS NOT NULL);

CREATE INDEX alert_of_child ON public.alert USING btree (child_id, raised_at);

CREATE UNIQUE INDEX alert_of_watch ON public.alert USING btree (username, ref) WHERE (ref IS NOT NULL);

CREATE INDEX audio_upload_oldest ON public.audio_upload USING btree (username, received_at);

CREATE INDEX blob_to_sweep ON public.blob USING btree (state, changed_at) WHERE ((state)::text <> 'kept'::text);

CREATE INDEX break_glass_to_tell ON public.break_glass USING btree (tell_at) WHERE (told_at IS NULL);

CREATE UNIQUE INDEX child_agreement_standing ON public.child_agreement USING btree (child_id) WHERE (withdrawn_at IS NULL);

CREATE INDEX command_of_child ON public.watch_command USING btree (child_id, asked_at);

CREATE INDEX command_open ON public.watch_command USING btree (expires_at) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'sent'::character varying, 'delivered'::character varying])::text[]));

CREATE UNIQUE INDEX consent_standing ON public.consent USING btree (guardian_id, family_id, part) WHERE (withdrawn_at IS NULL);

CREATE UNIQUE INDEX contact_of_guardian ON public.contact USING btree (child_id, guardian_id) WHERE ((removed_at IS NULL) AND (guardian_id IS NOT NULL));

CREATE INDEX contest_decision_due ON public.contest_decision USING btree (due_at) WHERE ((state)::text = 'waiting'::text);

CREATE UNIQUE INDEX contest_decision_standing ON public.contest_decision USING btree (contest_id) WHERE ((state)::text = ANY ((ARRAY['asked'::character varying, 'waiting'::character varying])::text[]));

CREATE UNIQUE INDEX contest_open ON public.contest USING btree (family_id, raised_by, about_id, "right") WHERE ((state)::text = 'open'::text);

CREATE INDEX enrolment_phone ON public.enrolment USING btree (guardian_phone);

CREATE UNIQUE INDEX enrolment_standing ON public.enrolment USING btree (family_id) WHERE (ended_at IS NULL);

CREATE INDEX erasure_to_finish ON public.erasure USING btree (asked_at) WHERE (rows_gone_at IS NULL);

CREATE UNIQUE INDEX export_running ON public.export USING btree (guardian_id) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'running'::character varying])::text[]));

CREATE INDEX fact_to_count ON public.fact USING btree (received_at) WHERE (NOT counted);

CREATE INDEX given_by_actor ON public.watch_given USING btree (actor_kind, actor_id, given_at);

CREATE UNIQUE INDEX help_open ON public.help_request USING btree (child_id, kind) WHERE (done_at IS NULL);

CREATE UNIQUE INDEX identity_of_child ON public.watch_identity USING btree (child_id) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX identity_of_watch ON public.watch_identity USING btree (watch_id) WHERE (ended_at IS NULL);

CREATE INDEX inbox_due ON public.inbox_item USING btree (next_announce_at) WHERE ((state)::text = 'waiting'::text);

CREATE INDEX inbox_waiting ON public.inbox_item USING btree (child_id, seq) WHERE ((state)::text = 'waiting'::text);

CREATE UNIQUE INDEX invitation_standing ON public.invitation USING btree (family_id, phone) WHERE (ended_at IS NULL);

CREATE INDEX ix_alert_family_id ON public.alert USING btree (family_id);

CREATE INDEX ix_alert_raised_at ON public.alert USING btree (raised_at);

CREATE INDEX ix_audio_upload_received_at ON public.audio_upload USING btree (received_at);

CREATE INDEX ix_audit_at ON public.audit USING btree (at);

CREATE INDEX ix_audit_family_id ON public.audit USING btree (family_id);

CREATE INDEX ix_blob_child_id ON public.blob USING btree (child_id);

CREATE INDEX ix_blob_export_id ON public.blob USING btree (export_id);

CREATE INDEX ix_break_glass_family_id ON public.break_glass USING btree (family_id);

CREATE INDEX ix_break_glass_site_id ON public.break_glass USING btree (site_id);

CREATE INDEX ix_child_agreement_family_id ON public.child_agreement USING btree (family_id);

CREATE INDEX ix_child_family_id ON public.child USING btree (family_id);

CREATE INDEX ix_clip_blob_id ON public.clip USING btree (blob_id);

CREATE INDEX ix_clip_child_id ON public.clip USING btree (child_id);

CREATE INDEX ix_clip_chunk_received_at ON public.clip_chunk USING btree (received_at);

CREATE INDEX ix_consent_family_id ON public.consent USING btree (family_id);

CREATE INDEX ix_contact_child_id ON public.contact USING btree (child_id);

CREATE INDEX ix_contest_decision_family_id ON public.contest_decision USING btree (family_id);

CREATE INDEX ix_contest_decision_site_id ON public.contest_decision USING btree (site_id);

CREATE INDEX ix_contest_family_id ON public.contest USING btree (family_id);

CREATE INDEX ix_erasure_family_id ON public.erasure USING btree (family_id);

CREATE INDEX ix_event_created_at ON public.event USING btree (created_at);

CREATE INDEX ix_export_family_id ON public.export USING btree (family_id);

CREATE INDEX ix_fact_family_id ON public.fact USING btree (family_id);

CREATE INDEX ix_fact_kind ON public.fact USING btree (kind);

CREATE INDEX ix_fact_received_at ON public.fact USING btree (received_at);

CREATE INDEX ix_fact_watch_id ON public.fact USING btree (watch_id);

CREATE INDEX ix_family_day_day ON public.family_day USING btree (day);

CREATE INDEX ix_family_ending_told_at ON public.family_ending USING btree (told_at);

CREATE INDEX ix_guardian_device_guardian_id ON public.guardian_device USING btree (guardian_id);

CREATE INDEX ix_hand_out_site_id ON public.hand_out USING btree (site_id);

CREATE INDEX ix_help_request_family_id ON public.help_request USING btree (family_id);

CREATE INDEX ix_invitation_phone ON public.invitation USING btree (phone);

CREATE INDEX ix_latest_checkin_happened_at ON public.latest_checkin USING btree (happened_at);

CREATE INDEX ix_limit_bucket_full_at ON public.limit_bucket USING btree (full_at);

CREATE INDEX ix_log_in_slip_family_id ON public.log_in_slip USING btree (family_id);

CREATE INDEX ix_login_challenge_created_at ON public.login_challenge USING btree (created_at);

CREATE INDEX ix_login_challenge_phone ON public.login_challenge USING btree (phone);

CREATE INDEX ix_membership_guardian_id ON public.membership USING btree (guardian_id);

CREATE INDEX ix_message_clip_id ON public.message USING btree (clip_id);

CREATE INDEX ix_message_ref ON public.message USING btree (ref);

CREATE INDEX ix_nudge_child_id ON public.nudge USING btree (child_id);

CREATE INDEX ix_open_stream_guardian_id ON public.open_stream USING btree (guardian_id);

CREATE INDEX ix_open_stream_opened_at ON public.open_stream USING btree (opened_at);

CREATE INDEX ix_open_stream_session_id ON public.open_stream USING btree (session_id);

CREATE INDEX ix_pairing_child_id ON public.pairing USING btree (child_id);

CREATE INDEX ix_pairing_watch_id ON public.pairing USING btree (watch_id);

CREATE INDEX ix_phone_upload_expires_at ON public.phone_upload USING btree (expires_at);

CREATE INDEX ix_push_endpoint_session_id ON public.push_endpoint USING btree (session_id);

CREATE INDEX ix_recovery_site_id ON public.recovery USING btree (site_id);

CREATE INDEX ix_refresh_token_session_id ON public.refresh_token USING btree (session_id);

CREATE INDEX ix_rendition_blob_id ON public.rendition USING btree (blob_id);

CREATE INDEX ix_safe_zone_child_id ON public.safe_zone USING btree (child_id);

CREATE INDEX ix_session_device_id ON public.session USING btree (device_id);

CREATE INDEX ix_session_guardian_id ON public.session USING btree (guardian_id);

CREATE INDEX ix_sos_place_child_id ON public.sos_place USING btree (child_id);

CREATE INDEX ix_staff_recovery_code_staff_id ON public.staff_recovery_code USING btree (staff_id);

CREATE INDEX ix_staff_refresh_token_staff_session_id ON public.staff_refresh_token USING btree (staff_session_id);

CREATE INDEX ix_staff_request_asked_at ON public.staff_request USING btree (asked_at);

CREATE INDEX ix_staff_request_staff_id ON public.staff_request USING btree (staff_id);

CREATE INDEX ix_staff_scope_staff_id ON public.staff_scope USING btree (staff_id);

CREATE INDEX ix_staff_session_staff_id ON public.staff_session USING btree (staff_id);

CREATE INDEX ix_survey_answer_family_id ON public.survey_answer USING btree (family_id);

CREATE INDEX ix_uplink_received_at ON public.uplink USING btree (received_at);

CREATE INDEX ix_usage_export_staff_id ON public.usage_export USING btree (staff_id);

CREATE INDEX ix_usage_population_programme_id ON public.usage_population USING btree (programme_id);

CREATE INDEX ix_usage_report_watch_id ON public.usage_report USING btree (watch_id);

CREATE INDEX ix_watch_command_family_id ON public.watch_command USING btree (family_id);

CREATE INDEX ix_watch_day_watch_id ON public.watch_day USING btree (watch_id);

CREATE INDEX ix_watch_given_family_id ON public.watch_given USING btree (family_id);

CREATE INDEX ix_watch_given_watch_id ON public.watch_given USING btree (watch_id);

CREATE INDEX ix_watch_identity_family_id ON public.watch_identity USING btree (family_id);

CREATE INDEX ix_watch_site_id ON public.watch USING btree (site_id);

CREATE INDEX ix_wipe_order_child_id ON public.wipe_order USING btree (child_id);

CREATE INDEX ix_wipe_order_family_id ON public.wipe_order USING btree (family_id);

CREATE INDEX ix_wipe_order_watch_id ON public.wipe_order USING btree (watch_id);

CREATE INDEX ix_zone_passage_happened_at ON public.zone_passage USING btree (happened_at);

CREATE INDEX ix_zone_passage_zone_id ON public.zone_passage USING btree (zone_id);

CREATE UNIQUE INDEX membership_primary ON public.membership USING btree (family_id) WHERE ((removed_at IS NULL) AND is_primary);

CREATE UNIQUE INDEX membership_standing ON public.membership USING btree (family_id, guardian_id) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX message_client_key ON public.message USING btree (guardian_id, client_key) WHERE (client_key IS NOT NULL);

CREATE UNIQUE INDEX message_of_watch ON public.message USING btree (username, ref) WHERE (username IS NOT NULL);

CREATE INDEX message_voice ON public.message USING btree (received_at) WHERE ((kind)::text = 'voice'::text);

CREATE INDEX notice_of_cohort ON public.notice USING btree (cohort_id, created_at);

CREATE INDEX notice_of_family ON public.notice USING btree (family_id, created_at);

CREATE INDEX nudge_to_judge ON public.nudge USING btree (nudged_at) WHERE (judged_at IS NULL);

CREATE INDEX outbox_due ON public.outbox USING btree (kind, priority, available_at);

CREATE INDEX pairing_attempt_recent ON public.pairing_attempt USING btree (guardian_id, at);

CREATE UNIQUE INDEX pairing_code_live ON public.pairing_code USING btree (code_hash) WHERE (ended_at IS NULL);

CREATE INDEX pairing_code_of_watch ON public.pairing_code USING btree (watch_id, created_at);

CREATE UNIQUE INDEX recipient_once ON public.message_recipient USING btree (message_id, guardian_id) NULLS NOT DISTINCT;

CREATE INDEX recipient_undelivered ON public.message_recipient USING btree (state) WHERE ((state)::text = ANY ((ARRAY['queued'::character varying, 'stored'::character varying])::text[]));

CREATE INDEX recovery_due ON public.recovery USING btree (due_at) WHERE ((state)::text = 'waiting'::text);

CREATE UNIQUE INDEX recovery_standing ON public.recovery USING btree (family_id) WHERE ((state)::text = ANY ((ARRAY['asked'::character varying, 'waiting'::character varying])::text[]));

CREATE UNIQUE INDEX staff_request_standing ON public.staff_request USING btree (email) WHERE ((state)::text = 'asked'::text);

CREATE INDEX uplink_fingerprint ON public.uplink USING btree (received_at) WHERE ((fingerprint)::text <> ''::text);

CREATE INDEX usage_cell_indicator ON public.usage_cell USING btree (programme_id, audience, indicator, week, scope_id);

CREATE INDEX usage_cell_week ON public.usage_cell USING btree (programme_id, audience, week, scope_id, indicator);

CREATE UNIQUE INDEX usage_export_running ON public.usage_export USING btree (staff_id) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'running'::character varying])::text[]));

CREATE INDEX usage_report_of_family ON public.usage_report USING btree (family_id, started_at);

CREATE INDEX zone_passage_of_child ON public.zone_passage USING btree (child_id, happened_at);

ALTER INDEX public.checkin_of_child ATTACH PARTITION checkin_months.checkin_default_child_id_happened_at_idx;

ALTER INDEX public.checkin_by_time ATTACH PARTITION checkin_months.checkin_default_happened_at_idx;

ALTER INDEX public.pk_checkin ATTACH PARTITION checkin_months.checkin_default_pkey;

CREATE TRIGGER only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.erasure_ledger FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_acknowledged_by FOREIGN KEY (acknowledged_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE SET NULL;

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.audio_upload_total
    ADD CONSTRAINT fk_audio_upload_total_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.audio_upload
    ADD CONSTRAINT fk_audio_upload_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT fk_blob_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT fk_blob_export_id FOREIGN KEY (export_id) REFERENCES public.export(export_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_delay_approved_by FOREIGN KEY (delay_approved_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE public.checkin
    ADD CONSTRAINT fk_checkin_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT fk_child_agreement_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT fk_child_agreement_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT fk_child_agreement_recorded_by FOREIGN KEY (recorded_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.child
    ADD CONSTRAINT fk_child_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.clip
    ADD CONSTRAINT fk_clip_blob_id FOREIGN KEY (blob_id) REFERENCES public.blob(blob_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.clip
    ADD CONSTRAINT fk_clip_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.clip_chunk
    ADD CONSTRAINT fk_clip_chunk_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT fk_cohort_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT fk_consent_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT fk_consent_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_approved_by FOREIGN KEY (approved_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_list
    ADD CONSTRAINT fk_contact_list_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_proposed_by FOREIGN KEY (proposed_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT fk_contest_about_id FOREIGN KEY (about_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_contest_id FOREIGN KEY (contest_id) REFERENCES public.contest(contest_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT fk_contest_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT fk_contest_raised_by FOREIGN KEY (raised_by) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT fk_enrolment_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT fk_enrolment_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT fk_enrolment_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.export
    ADD CONSTRAINT fk_export_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.export
    ADD CONSTRAINT fk_export_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fk_fact_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fk_fact_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fk_fact_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.family_day
    ADD CONSTRAINT fk_family_day_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.family_ending
    ADD CONSTRAINT fk_family_ending_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.guardian_device
    ADD CONSTRAINT fk_guardian_device_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT fk_hand_out_opened_by FOREIGN KEY (opened_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT fk_hand_out_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.help_request
    ADD CONSTRAINT fk_help_request_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.help_request
    ADD CONSTRAINT fk_help_request_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT fk_inbox_item_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT fk_inbox_item_message_id FOREIGN KEY (message_id) REFERENCES public.message(message_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT fk_invitation_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT fk_invitation_invited_by FOREIGN KEY (invited_by) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.kept_message
    ADD CONSTRAINT fk_kept_message_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.kept_message
    ADD CONSTRAINT fk_kept_message_message_id FOREIGN KEY (message_id) REFERENCES public.message(message_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.latest_checkin
    ADD CONSTRAINT fk_latest_checkin_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT fk_log_in_slip_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT fk_log_in_slip_hand_out_id FOREIGN KEY (hand_out_id) REFERENCES public.hand_out(hand_out_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.low_battery
    ADD CONSTRAINT fk_low_battery_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT fk_membership_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT fk_membership_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_clip_id FOREIGN KEY (clip_id) REFERENCES public.clip(clip_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT fk_message_recipient_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT fk_message_recipient_message_id FOREIGN KEY (message_id) REFERENCES public.message(message_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE SET NULL;

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT fk_notice_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT fk_notice_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT fk_nudge_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT fk_nudge_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.nudge_wanted
    ADD CONSTRAINT fk_nudge_wanted_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.open_stream
    ADD CONSTRAINT fk_open_stream_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.open_stream
    ADD CONSTRAINT fk_open_stream_session_id FOREIGN KEY (session_id) REFERENCES public.session(session_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pairing_attempt
    ADD CONSTRAINT fk_pairing_attempt_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pairing_code
    ADD CONSTRAINT fk_pairing_code_pairing_id FOREIGN KEY (pairing_id) REFERENCES public.pairing(pairing_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.pairing_code
    ADD CONSTRAINT fk_pairing_code_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT fk_phone_upload_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT fk_phone_upload_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.phone_upload_part
    ADD CONSTRAINT fk_phone_upload_part_upload_id FOREIGN KEY (upload_id) REFERENCES public.phone_upload(upload_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT fk_push_endpoint_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT fk_push_endpoint_session_id FOREIGN KEY (session_id) REFERENCES public.session(session_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.quiet_since
    ADD CONSTRAINT fk_quiet_since_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT fk_refresh_token_session_id FOREIGN KEY (session_id) REFERENCES public.session(session_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT fk_rendition_blob_id FOREIGN KEY (blob_id) REFERENCES public.blob(blob_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT fk_rendition_clip_id FOREIGN KEY (clip_id) REFERENCES public.clip(clip_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.safe_zone
    ADD CONSTRAINT fk_safe_zone_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.safe_zone
    ADD CONSTRAINT fk_safe_zone_created_by FOREIGN KEY (created_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.session
    ADD CONSTRAINT fk_session_device_id FOREIGN KEY (device_id) REFERENCES public.guardian_device(device_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.session
    ADD CONSTRAINT fk_session_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sim_month
    ADD CONSTRAINT fk_sim_month_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.site
    ADD CONSTRAINT fk_site_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sos_place
    ADD CONSTRAINT fk_sos_place_alert_id FOREIGN KEY (alert_id) REFERENCES public.alert(alert_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sos_place
    ADD CONSTRAINT fk_sos_place_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_origin
    ADD CONSTRAINT fk_staff_origin_by_staff_id FOREIGN KEY (by_staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_origin
    ADD CONSTRAINT fk_staff_origin_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_recovery_code
    ADD CONSTRAINT fk_staff_recovery_code_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_refresh_token
    ADD CONSTRAINT fk_staff_refresh_token_staff_session_id FOREIGN KEY (staff_session_id) REFERENCES public.staff_session(staff_session_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT fk_staff_scope_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT fk_staff_scope_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT fk_staff_scope_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT fk_staff_session_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT fk_survey_answer_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT fk_survey_answer_survey_id_question FOREIGN KEY (survey_id, question) REFERENCES public.survey_question(survey_id, question) ON DELETE CASCADE;

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT fk_survey_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.survey_question
    ADD CONSTRAINT fk_survey_question_survey_id FOREIGN KEY (survey_id) REFERENCES public.survey(survey_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.survey_report
    ADD CONSTRAINT fk_survey_report_survey_id FOREIGN KEY (survey_id) REFERENCES public.survey(survey_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.training_attended
    ADD CONSTRAINT fk_training_attended_enrolment_id FOREIGN KEY (enrolment_id) REFERENCES public.enrolment(enrolment_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.uplink
    ADD CONSTRAINT fk_uplink_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_cell
    ADD CONSTRAINT fk_usage_cell_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_export_file
    ADD CONSTRAINT fk_usage_export_file_usage_export_id FOREIGN KEY (usage_export_id) REFERENCES public.usage_export(usage_export_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT fk_usage_export_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT fk_usage_export_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT fk_usage_export_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_report
    ADD CONSTRAINT fk_usage_report_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_report
    ADD CONSTRAINT fk_usage_report_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.usage_week
    ADD CONSTRAINT fk_usage_week_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_asked_by FOREIGN KEY (asked_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_day
    ADD CONSTRAINT fk_watch_day_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_day
    ADD CONSTRAINT fk_watch_day_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_given
    ADD CONSTRAINT fk_watch_given_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_given
    ADD CONSTRAINT fk_watch_given_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT fk_watch_handed_out_to FOREIGN KEY (handed_out_to) REFERENCES public.family(family_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT fk_watch_identity_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT fk_watch_identity_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT fk_watch_identity_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_presence
    ADD CONSTRAINT fk_watch_presence_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch_settings
    ADD CONSTRAINT fk_watch_settings_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT fk_watch_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.wipe_order
    ADD CONSTRAINT fk_wipe_order_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.zone_passage
    ADD CONSTRAINT fk_zone_passage_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.zone_passage
    ADD CONSTRAINT fk_zone_passage_zone_id FOREIGN KEY (zone_id) REFERENCES public.safe_zone(zone_id) ON DELETE CASCADE;
