--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: checkin_months; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA checkin_months;


--
-- Name: checkin_drop_month(bigint, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

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


--
-- Name: checkin_make_month(bigint); Type: FUNCTION; Schema: public; Owner: -
--

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


--
-- Name: lease_is_held(text, bigint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.lease_is_held(lease_name text, held_token bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('lease/' || lease_name, 0));
    RETURN EXISTS (SELECT FROM lease WHERE name = lease_name AND token = held_token);
END
$$;


--
-- Name: refuse_change(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$;


SET default_tablespace = '';

--
-- Name: checkin; Type: TABLE; Schema: public; Owner: -
--

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


SET default_table_access_method = heap;

--
-- Name: checkin_2026_10; Type: TABLE; Schema: checkin_months; Owner: -
--

CREATE TABLE checkin_months.checkin_2026_10 (
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


--
-- Name: checkin_2026_11; Type: TABLE; Schema: checkin_months; Owner: -
--

CREATE TABLE checkin_months.checkin_2026_11 (
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


--
-- Name: checkin_2026_12; Type: TABLE; Schema: checkin_months; Owner: -
--

CREATE TABLE checkin_months.checkin_2026_12 (
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


--
-- Name: checkin_2027_01; Type: TABLE; Schema: checkin_months; Owner: -
--

CREATE TABLE checkin_months.checkin_2027_01 (
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


--
-- Name: checkin_default; Type: TABLE; Schema: checkin_months; Owner: -
--

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


--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: alert; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: audio_upload; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audio_upload (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    size_bytes integer NOT NULL,
    received_at timestamp with time zone NOT NULL
);


--
-- Name: audio_upload_total; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audio_upload_total (
    username character varying(32) NOT NULL,
    size_bytes integer NOT NULL
);


--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: audit_chain; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_chain (
    chain_id uuid NOT NULL,
    length bigint NOT NULL,
    head bytea NOT NULL
);


--
-- Name: blob; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: break_glass; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: child; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: child_agreement; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: clip; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: clip_chunk; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.clip_chunk (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    number integer NOT NULL,
    size_bytes integer NOT NULL,
    sealed_sound bytea NOT NULL,
    received_at timestamp with time zone NOT NULL
);


--
-- Name: cohort; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.cohort (
    cohort_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    starts_on date,
    ends_on date,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: consent; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: contact; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: contact_list; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_list (
    child_id uuid NOT NULL,
    version integer NOT NULL,
    last_number integer NOT NULL,
    changed_at timestamp with time zone NOT NULL
);


--
-- Name: contest; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: contest_decision; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: database_mark; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.database_mark (
    mark character varying(80) NOT NULL
);


--
-- Name: enrolment; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: erasure; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.erasure (
    erasure_id uuid NOT NULL,
    what character varying(10) NOT NULL,
    subject_id uuid NOT NULL,
    family_id uuid NOT NULL,
    asked_by uuid,
    asked_at timestamp with time zone NOT NULL,
    rows_gone_at timestamp with time zone
);


--
-- Name: erasure_ledger; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.erasure_ledger (
    erasure_id uuid NOT NULL,
    what character varying(10) NOT NULL,
    subject_id uuid NOT NULL,
    family_id uuid NOT NULL,
    written_at timestamp with time zone NOT NULL
);


--
-- Name: event; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: export; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: fact; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: family; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.family (
    family_id uuid NOT NULL,
    family_code character varying(20) NOT NULL,
    event_seq bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone
);


--
-- Name: family_day; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: family_ending; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.family_ending (
    family_id uuid NOT NULL,
    told_at timestamp with time zone NOT NULL
);


--
-- Name: guardian; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: guardian_device; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.guardian_device (
    device_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    trusted_at timestamp with time zone
);


--
-- Name: hand_out; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: help_request; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.help_request (
    help_id uuid NOT NULL,
    family_id uuid NOT NULL,
    child_id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
);


--
-- Name: inbox_item; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: invitation; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: kept_message; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.kept_message (
    message_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    kept_at timestamp with time zone NOT NULL
);


--
-- Name: latest_checkin; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: lease; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.lease (
    name character varying(40) NOT NULL,
    holder character varying(100) NOT NULL,
    token bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


--
-- Name: limit_bucket; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.limit_bucket (
    bucket_key bytea NOT NULL,
    tokens double precision NOT NULL,
    granted boolean NOT NULL,
    filled_at timestamp with time zone NOT NULL,
    full_at timestamp with time zone NOT NULL
);


--
-- Name: log_in_slip; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.log_in_slip (
    slip_id uuid NOT NULL,
    hand_out_id uuid NOT NULL,
    family_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    printed_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);


--
-- Name: login_challenge; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: low_battery; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.low_battery (
    username character varying(32) NOT NULL,
    since_at timestamp with time zone NOT NULL
);


--
-- Name: membership; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: message; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: message_recipient; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: notice; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notice (
    notice_id uuid NOT NULL,
    cohort_id uuid,
    family_id uuid,
    kind character varying(16) NOT NULL,
    text character varying(500) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_notice_notice_one_of CHECK (((cohort_id IS NULL) <> (family_id IS NULL)))
);


--
-- Name: nudge; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.nudge (
    nudge_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    child_id uuid NOT NULL,
    local_day date NOT NULL,
    nudged_at timestamp with time zone NOT NULL,
    judged_at timestamp with time zone
);


--
-- Name: nudge_wanted; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.nudge_wanted (
    guardian_id uuid NOT NULL,
    since_at timestamp with time zone NOT NULL
);


--
-- Name: open_stream; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.open_stream (
    stream_no bigint NOT NULL,
    session_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL
);


--
-- Name: open_stream_stream_no_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.open_stream_stream_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: open_stream_stream_no_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.open_stream_stream_no_seq OWNED BY public.open_stream.stream_no;


--
-- Name: outbox; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: outbox_outbox_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.outbox_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: outbox_outbox_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.outbox_outbox_id_seq OWNED BY public.outbox.outbox_id;


--
-- Name: pairing; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: pairing_attempt; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pairing_attempt (
    pairing_attempt_id uuid NOT NULL,
    guardian_id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: pairing_code; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: phone_upload; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: phone_upload_part; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.phone_upload_part (
    upload_id uuid NOT NULL,
    "offset" integer NOT NULL,
    sealed_sound bytea NOT NULL
);


--
-- Name: programme; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.programme (
    programme_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_on date
);


--
-- Name: push_endpoint; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: quiet_since; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.quiet_since (
    child_id uuid NOT NULL,
    since_at timestamp with time zone NOT NULL,
    quiet jsonb NOT NULL,
    timezone character varying(40) NOT NULL
);


--
-- Name: recovery; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: refresh_token; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.refresh_token (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);


--
-- Name: rendition; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: safe_zone; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: session; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: sim_month; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sim_month (
    watch_id uuid NOT NULL,
    month date NOT NULL,
    used_mb integer NOT NULL
);


--
-- Name: site; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: sos_place; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sos_place (
    alert_id uuid NOT NULL,
    child_id uuid NOT NULL,
    happened_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    accuracy_m double precision,
    source character varying(32),
    sealed_place bytea NOT NULL
);


--
-- Name: staff; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: staff_origin; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_origin (
    staff_id uuid NOT NULL,
    by_staff_id uuid NOT NULL,
    since_at timestamp with time zone NOT NULL
);


--
-- Name: staff_recovery_code; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_recovery_code (
    code_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    used_at timestamp with time zone
);


--
-- Name: staff_refresh_token; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_refresh_token (
    token_hash bytea NOT NULL,
    staff_session_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);


--
-- Name: staff_request; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: staff_scope; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_scope (
    staff_scope_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    programme_id uuid,
    site_id uuid,
    CONSTRAINT ck_staff_scope_staff_scope_one_of CHECK (((programme_id IS NULL) <> (site_id IS NULL)))
);


--
-- Name: staff_session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_session (
    staff_session_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason character varying(20)
);


--
-- Name: survey; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.survey (
    survey_id uuid NOT NULL,
    programme_id uuid NOT NULL,
    name character varying(80) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone
);


--
-- Name: survey_answer; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.survey_answer (
    survey_id uuid NOT NULL,
    question character varying(30) NOT NULL,
    family_id uuid NOT NULL,
    wave character varying(10) NOT NULL,
    answer double precision NOT NULL,
    noted_at timestamp with time zone NOT NULL
);


--
-- Name: survey_question; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.survey_question (
    survey_id uuid NOT NULL,
    question character varying(30) NOT NULL,
    kind character varying(10) NOT NULL,
    label character varying(200) NOT NULL,
    "least" double precision,
    most double precision
);


--
-- Name: survey_report; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.survey_report (
    survey_id uuid NOT NULL,
    scope_id uuid NOT NULL,
    comparisons jsonb NOT NULL
);


--
-- Name: training_attended; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.training_attended (
    enrolment_id uuid NOT NULL,
    training character varying(30) NOT NULL,
    attended_on date NOT NULL,
    noted_at timestamp with time zone NOT NULL
);


--
-- Name: uplink; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.uplink (
    username character varying(32) NOT NULL,
    ref character varying(36) NOT NULL,
    kind character varying(12) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    code character varying(12) NOT NULL,
    detail character varying(30),
    received_at timestamp with time zone NOT NULL
);


--
-- Name: usage_cell; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: usage_export; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: usage_export_file; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.usage_export_file (
    usage_export_id uuid NOT NULL,
    sealed bytea NOT NULL
);


--
-- Name: usage_population; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.usage_population (
    quarter date NOT NULL,
    family_id uuid NOT NULL,
    programme_id uuid NOT NULL,
    site_id uuid NOT NULL,
    cohort_id uuid NOT NULL
);


--
-- Name: usage_report; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: usage_week; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.usage_week (
    programme_id uuid NOT NULL,
    week date NOT NULL,
    quarter date NOT NULL,
    published_at timestamp with time zone NOT NULL,
    members jsonb NOT NULL,
    dark jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: watch; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: watch_command; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: watch_day; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: watch_given; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: watch_identity; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: watch_presence; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.watch_presence (
    username character varying(32) NOT NULL,
    last_seen_at timestamp with time zone,
    battery_pct integer,
    battery_at timestamp with time zone,
    battery_before_pct integer,
    battery_before_at timestamp with time zone,
    clock_skew_s integer
);


--
-- Name: watch_settings; Type: TABLE; Schema: public; Owner: -
--

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


--
-- Name: wipe_order; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.wipe_order (
    username character varying(32) NOT NULL,
    watch_id uuid NOT NULL,
    child_id uuid NOT NULL,
    family_id uuid NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone,
    confirmed_at timestamp with time zone
);


--
-- Name: zone_passage; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.zone_passage (
    passage_id uuid NOT NULL,
    zone_id uuid NOT NULL,
    child_id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    alarmed boolean NOT NULL
);


--
-- Name: checkin_2026_10; Type: TABLE ATTACH; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY public.checkin ATTACH PARTITION checkin_months.checkin_2026_10 FOR VALUES FROM ('1790812800') TO ('1793491200');


--
-- Name: checkin_2026_11; Type: TABLE ATTACH; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY public.checkin ATTACH PARTITION checkin_months.checkin_2026_11 FOR VALUES FROM ('1793491200') TO ('1796083200');


--
-- Name: checkin_2026_12; Type: TABLE ATTACH; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY public.checkin ATTACH PARTITION checkin_months.checkin_2026_12 FOR VALUES FROM ('1796083200') TO ('1798761600');


--
-- Name: checkin_2027_01; Type: TABLE ATTACH; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY public.checkin ATTACH PARTITION checkin_months.checkin_2027_01 FOR VALUES FROM ('1798761600') TO ('1801440000');


--
-- Name: checkin_default; Type: TABLE ATTACH; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY public.checkin ATTACH PARTITION checkin_months.checkin_default DEFAULT;


--
-- Name: open_stream stream_no; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.open_stream ALTER COLUMN stream_no SET DEFAULT nextval('public.open_stream_stream_no_seq'::regclass);


--
-- Name: outbox outbox_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox ALTER COLUMN outbox_id SET DEFAULT nextval('public.outbox_outbox_id_seq'::regclass);


--
-- Data for Name: checkin_2026_10; Type: TABLE DATA; Schema: checkin_months; Owner: -
--



--
-- Data for Name: checkin_2026_11; Type: TABLE DATA; Schema: checkin_months; Owner: -
--

INSERT INTO checkin_months.checkin_2026_11 VALUES ('w-cikjogytdpi5jkhw', '3qlhxzfpohn87a', 1795942685, '1af363f2-a066-4384-a8fa-ac0b824015a1', '2026-11-29 08:58:05+00', '2026-11-29 08:58:06.01049+00', '\x727d04160c0da80abefc75f6ddcebb66', 'good', '', 18, 'gps', '\x0173c8ce655030083c1710ade67b1548700d04cf520a90bb40a45ec9ab7598d923efabbe20f3820ee50d737a4a97135c4d698999a5');
INSERT INTO checkin_months.checkin_2026_11 VALUES ('w-cikjogytdpi5jkhw', 'cgfjd4fmhog1l7', 1795942686, '1af363f2-a066-4384-a8fa-ac0b824015a1', '2026-11-29 08:58:06+00', '2026-11-29 08:58:07.211645+00', '\xc676fff0c13e0b3702a95267a2bd9028', 'good', '', 12, NULL, '\x0155b6d0213716a0871640f47b8cbbb7fd4ce23279f942ab98321c6f7f64305df8abe0fd76727902eaab2d40e0bcfbe14c59bf41ef');


--
-- Data for Name: checkin_2026_12; Type: TABLE DATA; Schema: checkin_months; Owner: -
--



--
-- Data for Name: checkin_2027_01; Type: TABLE DATA; Schema: checkin_months; Owner: -
--



--
-- Data for Name: checkin_default; Type: TABLE DATA; Schema: checkin_months; Owner: -
--



--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0026');


--
-- Data for Name: alert; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alert VALUES ('893b37d3-89f6-4e98-aea8-4a37c0956560', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'sos', 'w-cikjogytdpi5jkhw', '316cc658-bc56-4431-9384-831ca601b99c', 'z4zlvsa9leh9af', NULL, '2026-11-29 08:58:06+00', '2026-11-29 08:58:07.380941+00', '2026-11-29 08:58:07.494011+00', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'g-1', '2026-11-29 08:58:07.51614+00', NULL, '[]', NULL);


--
-- Data for Name: audio_upload; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: audio_upload_total; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audio_upload_total VALUES ('w-cikjogytdpi5jkhw', 0);


--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit VALUES ('61141d17-53eb-42c5-a020-099292a0a59c', '2026-11-29 08:57:55.349608+00', 'operator', '', 'programme.created', 'done', '', NULL, 'e490dfd0-29b3-403b-909e-6fa89f9580d6', '00000000-0000-0000-0000-000000000005', 1, '\xfdfcc441043ab01b28196b58faff447d68148f0f3941977235179109a08a4628', '', 1);
INSERT INTO public.audit VALUES ('62849c3f-4e6e-4205-a408-ac769a090411', '2026-11-29 08:57:56.807566+00', 'operator', '', 'site.created', 'done', '', NULL, '6c476094-05a8-490e-9e57-bcda51dd9cfa', '00000000-0000-0000-0000-000000000005', 2, '\xa4d30691fa98e977604e7551f96a4be7da78cb2a05aba7e895585c9c859d820f', '', 1);
INSERT INTO public.audit VALUES ('b0aab753-1f8f-42ae-8f08-e98926f46dce', '2026-11-29 08:57:58.362056+00', 'operator', '', 'cohort.created', 'done', '', NULL, '23553ffd-9c6f-4b43-bc05-6bf8060e14a7', '00000000-0000-0000-0000-000000000005', 3, '\x9bc286999da5c8fffaf3b40147fc29fd98ad3bdea6e07e7359a20e5870e3311c', '', 1);
INSERT INTO public.audit VALUES ('a89f68a1-507f-436d-8c2b-f36ae71044ba', '2026-11-29 08:58:00.09494+00', 'operator', '', 'watch.registered', 'done', '', NULL, '316cc658-bc56-4431-9384-831ca601b99c', '00000000-0000-0000-0000-000000000005', 4, '\xa1f03129c75e2784f61a57c746d43f146f06142c39a053f03442b70462f8583a', '', 1);
INSERT INTO public.audit VALUES ('1bbeb58e-9ad1-4987-b233-0e1d076a3c14', '2026-11-29 08:58:01.880341+00', 'operator', '', 'family.enrolled', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 1, '\xe26fca10a8db2732cee14ab74cc000796e10c20e0736242f3fd4d88d7c4ff9c7', '', 1);
INSERT INTO public.audit VALUES ('da104420-3064-4f39-980f-30f313082615', '2026-11-29 08:58:01.880341+00', 'operator', '', 'watch.handed_out', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '316cc658-bc56-4431-9384-831ca601b99c', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 2, '\x8ebb2b75ee2eb468ff5edc87593ce4b23fb6bd5d334b3af5427fc050ff1b95a7', '', 1);
INSERT INTO public.audit VALUES ('7f8ac3da-bc6f-4143-a135-550d3906bd50', '2026-11-29 08:58:02.952327+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'session.opened', 'done', '', NULL, 'de17e26b-ea80-4b2f-a3fa-312d07a6894b', '00000000-0000-0000-0000-000000000004', 1, '\x3b8f433215ab1cd57381c6c6c8bedccede56fa7e1f4c7cd4a6291e837947b1bf', '', 1);
INSERT INTO public.audit VALUES ('2e483fcd-e96e-46bc-a45b-eecbe9db88ef', '2026-11-29 08:58:02.952327+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'guardian.joined', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 3, '\x2d1f6557f72c5268d9e345a198da575c1f89d3e7d422de437c010d51154e64ba', '', 1);
INSERT INTO public.audit VALUES ('cc2a46d1-0ad6-4434-96e5-397db9da8130', '2026-11-29 08:58:03.125598+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'access', 'refused', 'consent_required', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 4, '\x1883e7cb5a755c104de276198d17c1aaaa49db92c65a9e5c239989905b7e8898', 'POST /v1/families/{family_id}/children', 1);
INSERT INTO public.audit VALUES ('e6e7b957-30fa-4c74-94d5-35da105f7e21', '2026-11-29 08:58:03.142252+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'consent.given.messages', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '164bdd66-e13e-42cf-ad80-5e4ffb9125dd', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 5, '\x24642c5612209f174510986c130e92ded01ebc9a2079eded984abb1b420c646c', '', 1);
INSERT INTO public.audit VALUES ('5fac6b77-4425-4149-9d74-db64155191b9', '2026-11-29 08:58:03.198648+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'guardian.rights_changed', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 6, '\x60dff695bf5c662765994f78cbaa7d74b9987a033ca40de8b955740fa680e82b', '', 1);
INSERT INTO public.audit VALUES ('5b8b529b-4a6c-4750-b027-79b99f161d03', '2026-11-29 08:58:03.231652+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'child.added', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 7, '\x71deeeaa2f991e353d6f34793500c2c1ab8b8c6206b469481f2a96804a537489', '', 1);
INSERT INTO public.audit VALUES ('70fd583d-a76f-41fe-bdf6-419dc8154f38', '2026-11-29 08:58:03.522991+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'pair', 'refused', 'pairing_code_unknown', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 8, '\x03a0249aaba23fea57212c40f1bbbb7e34976e59b27d1afec06c6e1eef10f51a', '', 1);
INSERT INTO public.audit VALUES ('b97c782d-1d56-48ba-b8bb-d0853a8d2e9e', '2026-11-29 08:58:03.557447+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'pair', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '7283a056-7a30-493f-aa5f-977aeec8413b', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 9, '\xb685270c9cc9e1e442cd0ebc90ed845d5c2b62a1db5c94cccc2e1df7f88ce07d', '', 1);
INSERT INTO public.audit VALUES ('a5f57670-ba4c-4898-874f-5dc6bdf8ff2c', '2026-11-29 08:58:03.680861+00', 'watch', 'w-cikjogytdpi5jkhw', 'confirm_pairing', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '7283a056-7a30-493f-aa5f-977aeec8413b', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 10, '\xbdc364da984f473047153724f65df0d05a622e4b29ccbda9e71e5f9a8b6ad360', '', 1);
INSERT INTO public.audit VALUES ('62109ee4-63f7-4cf7-a4fc-ae3f17b86350', '2026-11-29 08:58:04.644587+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'audio', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'f80ad702-b0b1-4f00-99ec-d055c6b6eb92', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 11, '\x22bb91205b0edfb005a1b7f6806faab79ea268320f28a068ab9e7e2730144150', '', 1);
INSERT INTO public.audit VALUES ('35b44a97-69f5-4c26-adac-f9e41e173261', '2026-11-29 08:58:05.816171+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'command.locate', 'refused', 'right_missing', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 12, '\x1ec6df2f0c9655b541f78ab6c6aa29b58e3f0932caa20d867173600337ede7e5', '', 1);
INSERT INTO public.audit VALUES ('7713669f-79ae-456a-8ad4-3e528cc150d9', '2026-11-29 08:58:05.842241+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'guardian.rights_changed', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 13, '\x0b439b84d3736636a0e61aa64ef324968d751521c5c401eae7b26bc301bd9e65', '', 1);
INSERT INTO public.audit VALUES ('a2221518-0e80-439d-a541-3186e1aaa45e', '2026-11-29 08:58:05.877403+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'consent.given.location', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'c22a316d-1d37-4400-a664-fee45e1c5fcb', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 14, '\xc65cd1713bd18ba3229aa65443de0aa7637e90e343aedbccb2539273a23276de', '', 1);
INSERT INTO public.audit VALUES ('c19fdd88-8d59-4b34-9167-189bf9f3bb0c', '2026-11-29 08:58:05.898824+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'location.on', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 15, '\x17669ee168204fb6b440f5c78095c4d70588ab2eb883cd44d5c681246589ac83', '', 1);
INSERT INTO public.audit VALUES ('44ac339c-d333-48c1-a35f-6732ac2d98f9', '2026-11-29 08:58:05.954232+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'zone.drawn', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'e40fe308-4d44-427d-ac58-660b422681ee', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 16, '\xea0a047ee0f4e975600628c3f8d9894179b348be5b81c88070180eb17ab1ef11', '', 1);
INSERT INTO public.audit VALUES ('f8f4996e-85e9-42c3-afaa-8e6b6693a067', '2026-11-29 08:58:06.097626+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'place', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 17, '\xc6700da76507270b1837f97a84c8067c8cded9ee2c2945cce7d8c49314f821f3', '', 1);
INSERT INTO public.audit VALUES ('2f12a047-f350-47e3-86bb-e0cf76a52fb0', '2026-11-29 08:58:07.11821+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'command.locate', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 18, '\xcdd451196613c674640b84e8998cb91bb2a93dbd2e786b5006fe273b0f542600', '', 1);
INSERT INTO public.audit VALUES ('5b6cffac-092b-4b89-9e37-e6e9ed997976', '2026-11-29 08:58:07.360094+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'place', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 19, '\xc3f091c3681711a819940b1262661ee1d19313f639b362e9b5486b9755a4c1fc', '', 1);
INSERT INTO public.audit VALUES ('743255ec-1c2c-4595-91f7-e130be5f7cc4', '2026-11-29 08:58:07.494011+00', 'guardian', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'alert.acknowledged', 'done', '', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '893b37d3-89f6-4e98-aea8-4a37c0956560', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 20, '\x1e59d4b5e3fcd78878a3debd32b29eca21ec5709654b3158d6543599046f5801', '', 1);


--
-- Data for Name: audit_chain; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_chain VALUES ('00000000-0000-0000-0000-000000000005', 4, '\xa1f03129c75e2784f61a57c746d43f146f06142c39a053f03442b70462f8583a');
INSERT INTO public.audit_chain VALUES ('00000000-0000-0000-0000-000000000004', 1, '\x3b8f433215ab1cd57381c6c6c8bedccede56fa7e1f4c7cd4a6291e837947b1bf');
INSERT INTO public.audit_chain VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 20, '\x1e59d4b5e3fcd78878a3debd32b29eca21ec5709654b3158d6543599046f5801');


--
-- Data for Name: blob; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.blob VALUES ('e0887d5b-56d6-46c6-8e30-d91d19582cd7', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'kept', 13137, 'ea4b842d056d5de0d2fca89a37c461772475829ebaf04a839a10b096ce8d2197', '2026-11-29 08:58:03.44786+00', '2026-11-29 08:58:03.458868+00', NULL);
INSERT INTO public.blob VALUES ('588e1936-aaf6-47f9-bd71-7ece51ef045c', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'kept', 6566, '72fc8ec632862a97afba6506efff35e49865f43412949586b138eaf0d19cd499', '2026-11-29 08:58:03.96671+00', '2026-11-29 08:58:03.988743+00', NULL);
INSERT INTO public.blob VALUES ('6488ac33-5c61-4f11-a6e6-9f21bea7e7e2', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'kept', 4934, 'f0fd2c3d21895a2a64d46da00d0ed575e8214fe143c93d61507b2931f8e08b4c', '2026-11-29 08:58:04.43656+00', '2026-11-29 08:58:04.443931+00', NULL);
INSERT INTO public.blob VALUES ('b5c3aa2e-90c3-42fe-a5b5-e9dd9e3eab98', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'kept', 14117, '6b94fee7d8e9fcfe0aa5ebc9c0c6bdae91f6c104270a7d4a600527d5f652ad89', '2026-11-29 08:58:04.829205+00', '2026-11-29 08:58:04.840708+00', NULL);


--
-- Data for Name: break_glass; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: child; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.child VALUES ('1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'Mei', NULL, '\x020566697273740106d68c24d00a1b333cc1d26aade405ea87206bc51d2fd21e0b417c7e322e1584654522d41be62b52e63542fb57c3063c98f80fcd573dde8d48cd871e', 7, 4, '2026-11-29 08:58:03.231652+00', NULL, NULL);


--
-- Data for Name: child_agreement; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: clip; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.clip VALUES ('b33433dc-7cd1-47a1-a327-f59c7705e381', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'e0887d5b-56d6-46c6-8e30-d91d19582cd7', 13137, 'ea4b842d056d5de0d2fca89a37c461772475829ebaf04a839a10b096ce8d2197', NULL, NULL, 'ready', 'webm-opus', 1, 4075, '\x01cd686c59cb12264d3256ab2042e17ee12388b2d1e9b3e7570bd9d73a1e979466ecd89aa20eac65d43cd5c38885357b2972192824685b31833a10622b68a4b177aee735116cd35d6315741e3636ce8cb6c7f3d8948fc61adc8b1d355487757054ea266802aadf85332561b9631e550b2818f97462a34402bb4d15c71b34db2b60a40ac1d0a2d7222b70f536ab10a63d8307d0594d392e8451bc12d01f2dea3e507e7eb01a9df0b8760e8d543f879038e02d942bbd17002e250d2a11cf4c7f02126a', 0, '2026-11-29 08:58:03.458868+00', NULL);
INSERT INTO public.clip VALUES ('8e6275b6-cb11-49f6-a401-78a335622e58', '1af363f2-a066-4384-a8fa-ac0b824015a1', '6488ac33-5c61-4f11-a6e6-9f21bea7e7e2', 4934, 'f0fd2c3d21895a2a64d46da00d0ed575e8214fe143c93d61507b2931f8e08b4c', 'amr-nb', 3059, 'ready', 'amr-nb', 1, 3080, '\x01d22ff86f4855ccc15cba7ba0f0849b52a72f1f03cbb73ae18a05a9c7fc9bc1a7f85e8006e26009459013104aa7094376ac6db01393924d26ccbf3d829512f425f21b73f3510d081addcfd0b919c3242e5ff48845a63893d07df0a01318f2dc72c8c9b1bdd0c0a3218033f5c6d8f9843bc6066222081c16c9db1b6a5817d77d4f58bbde97ffc7cb3f392406653f2af3f2fd1c37e40f5ffdbff3b1c194a5fb0913efa42b8113912a96916f30a7496fbca5dbaf45ac1e2356586d5aa134a0973895b75de115e536', 0, '2026-11-29 08:58:04.443931+00', NULL);


--
-- Data for Name: clip_chunk; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: cohort; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.cohort VALUES ('23553ffd-9c6f-4b43-bc05-6bf8060e14a7', '6c476094-05a8-490e-9e57-bcda51dd9cfa', 'Spring', NULL, NULL, '2026-11-29 08:57:58.362056+00');


--
-- Data for Name: consent; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.consent VALUES ('164bdd66-e13e-42cf-ad80-5e4ffb9125dd', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'messages', '1', 'en', 'app', '2026-11-29 08:58:03.142252+00', NULL, NULL, NULL);
INSERT INTO public.consent VALUES ('c22a316d-1d37-4400-a664-fee45e1c5fcb', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'location', '1', 'en', 'app', '2026-11-29 08:58:05.877403+00', NULL, NULL, NULL);


--
-- Data for Name: contact; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.contact VALUES ('314e984b-86d4-45c3-aa17-8ba6f5e1ba22', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'g-1', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'Mum', 'mother', '+8613860690874', true, true, 1, false, 'approved', NULL, '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '2026-11-29 08:58:03.231652+00', NULL);


--
-- Data for Name: contact_list; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.contact_list VALUES ('1af363f2-a066-4384-a8fa-ac0b824015a1', 2, 1, '2026-11-29 08:58:03.231652+00');


--
-- Data for Name: contest; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: contest_decision; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: database_mark; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.database_mark VALUES ('20261129085743905504/16386/16693/16810');


--
-- Data for Name: enrolment; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.enrolment VALUES ('36b42cd2-ecb8-4f3b-a9c8-7f82fff115f5', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '6c476094-05a8-490e-9e57-bcda51dd9cfa', '23553ffd-9c6f-4b43-bc05-6bf8060e14a7', '+8613860690874', '2026-11-29 08:58:01.880341+00', NULL, NULL, NULL);


--
-- Data for Name: erasure; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: erasure_ledger; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: event; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 1, 'guardians.changed', NULL, '48295a4b-6a00-4304-bcbd-cbe278cfa45d', NULL, '', '{}', '2026-11-29 08:58:02.952327+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 2, 'guardians.changed', NULL, '48295a4b-6a00-4304-bcbd-cbe278cfa45d', NULL, '', '{}', '2026-11-29 08:58:03.142252+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 3, 'guardians.changed', NULL, '48295a4b-6a00-4304-bcbd-cbe278cfa45d', NULL, '', '{}', '2026-11-29 08:58:03.198648+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 4, 'contacts.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"version": 2}', '2026-11-29 08:58:03.231652+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 5, 'child.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{}', '2026-11-29 08:58:03.231652+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 6, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', '99936237-2b51-4beb-9812-34553d86bf32', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "text", "direction": "to_child"}', '2026-11-29 08:58:03.310012+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 7, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', '2c516ed0-a235-42f9-adae-d740db2ca4c5', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "voice", "direction": "to_child"}', '2026-11-29 08:58:03.458868+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 8, 'pairing.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', '7283a056-7a30-493f-aa5f-977aeec8413b', NULL, '', '{"state": "issued"}', '2026-11-29 08:58:03.557447+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 9, 'watch.presence', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"state": "online"}', '2026-11-29 08:58:03.680861+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 10, 'pairing.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', '7283a056-7a30-493f-aa5f-977aeec8413b', NULL, '', '{"state": "confirmed"}', '2026-11-29 08:58:03.680861+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 11, 'contacts.acknowledged', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"version": 2}', '2026-11-29 08:58:03.781693+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 12, 'config.acknowledged', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"version": 1}', '2026-11-29 08:58:03.794542+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 13, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '99936237-2b51-4beb-9812-34553d86bf32', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "delivered"}', '2026-11-29 08:58:03.800893+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 14, 'message.audio', '1af363f2-a066-4384-a8fa-ac0b824015a1', '2c516ed0-a235-42f9-adae-d740db2ca4c5', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "ready"}', '2026-11-29 08:58:03.988743+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 15, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '2c516ed0-a235-42f9-adae-d740db2ca4c5', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "delivered"}', '2026-11-29 08:58:04.153416+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 16, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '2c516ed0-a235-42f9-adae-d740db2ca4c5', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "played"}', '2026-11-29 08:58:04.245067+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 17, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'f80ad702-b0b1-4f00-99ec-d055c6b6eb92', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "voice", "direction": "to_family"}', '2026-11-29 08:58:04.443931+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 18, 'message.audio', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'f80ad702-b0b1-4f00-99ec-d055c6b6eb92', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "ready"}', '2026-11-29 08:58:04.840708+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 19, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'f80ad702-b0b1-4f00-99ec-d055c6b6eb92', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "played"}', '2026-11-29 08:58:04.967746+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 20, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', '321f2035-4573-4f9c-96a2-a93a615dddd4', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "text", "direction": "to_child"}', '2026-11-29 08:58:05.026015+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 21, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '321f2035-4573-4f9c-96a2-a93a615dddd4', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "delivered"}', '2026-11-29 08:58:05.101587+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 22, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '321f2035-4573-4f9c-96a2-a93a615dddd4', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "played"}', '2026-11-29 08:58:05.201082+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 23, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', '762edd88-9fe4-4114-a75a-f36fcdb365cf', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "text", "direction": "to_family"}', '2026-11-29 08:58:05.260218+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 24, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '762edd88-9fe4-4114-a75a-f36fcdb365cf', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "played"}', '2026-11-29 08:58:05.388099+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 25, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', '44c4489a-9749-4a90-a815-e456eaa80bc2', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "text", "direction": "to_child"}', '2026-11-29 08:58:05.446002+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 26, 'watch.presence', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"state": "offline"}', '2026-11-29 08:58:05.498465+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 27, 'watch.presence', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"state": "online"}', '2026-11-29 08:58:05.545901+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 28, 'message.created', '1af363f2-a066-4384-a8fa-ac0b824015a1', '750aa106-35de-420a-b2aa-2163d322c2c8', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"kind": "text", "direction": "to_family"}', '2026-11-29 08:58:05.596183+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 29, 'message.state', '1af363f2-a066-4384-a8fa-ac0b824015a1', '44c4489a-9749-4a90-a815-e456eaa80bc2', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'message', '{"state": "delivered"}', '2026-11-29 08:58:05.733266+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 30, 'guardians.changed', NULL, '48295a4b-6a00-4304-bcbd-cbe278cfa45d', NULL, '', '{}', '2026-11-29 08:58:05.842241+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 31, 'guardians.changed', NULL, '48295a4b-6a00-4304-bcbd-cbe278cfa45d', NULL, '', '{}', '2026-11-29 08:58:05.877403+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 32, 'config.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"version": 2, "location": true}', '2026-11-29 08:58:05.898824+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 33, 'config.acknowledged', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, '', '{"version": 2}', '2026-11-29 08:58:05.955275+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 34, 'zone.drawn', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'e40fe308-4d44-427d-ac58-660b422681ee', NULL, 'locate', '{}', '2026-11-29 08:58:05.954232+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 35, 'checkin.latest', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, 'locate', '{}', '2026-11-29 08:58:06.01049+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 36, 'command.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'd4460b9f-0743-4576-b6f3-cd6375825dca', NULL, 'message', '{"kind": "locate", "state": "waiting"}', '2026-11-29 08:58:07.11821+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 37, 'command.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'd4460b9f-0743-4576-b6f3-cd6375825dca', NULL, 'message', '{"kind": "locate", "state": "sent"}', '2026-11-29 08:58:07.147941+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 38, 'command.changed', '1af363f2-a066-4384-a8fa-ac0b824015a1', 'd4460b9f-0743-4576-b6f3-cd6375825dca', NULL, 'message', '{"kind": "locate", "state": "done"}', '2026-11-29 08:58:07.179485+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 39, 'checkin.latest', '1af363f2-a066-4384-a8fa-ac0b824015a1', NULL, NULL, 'locate', '{}', '2026-11-29 08:58:07.211645+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 40, 'alert.raised', '1af363f2-a066-4384-a8fa-ac0b824015a1', '893b37d3-89f6-4e98-aea8-4a37c0956560', NULL, 'message', '{"kind": "sos"}', '2026-11-29 08:58:07.380941+00');
INSERT INTO public.event VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 41, 'alert.acknowledged', '1af363f2-a066-4384-a8fa-ac0b824015a1', '893b37d3-89f6-4e98-aea8-4a37c0956560', NULL, 'message', '{"kind": "sos"}', '2026-11-29 08:58:07.494011+00');


--
-- Data for Name: export; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: fact; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.fact VALUES ('0a69c4a4-acfa-4999-beee-27fcc8f70d0a', 'watch_registered', '316cc658-bc56-4431-9384-831ca601b99c', NULL, NULL, NULL, NULL, '2026-11-29 08:58:00.09494+00', NULL, false);
INSERT INTO public.fact VALUES ('fb29214b-1e6d-47f7-93db-1425f26f5189', 'family_enrolled', NULL, NULL, '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', NULL, NULL, '2026-11-29 08:58:01.880341+00', NULL, false);
INSERT INTO public.fact VALUES ('d8232749-ee21-4d9a-916e-ceeaaa706e55', 'watch_handed_out', '316cc658-bc56-4431-9384-831ca601b99c', NULL, '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', NULL, NULL, '2026-11-29 08:58:01.880341+00', NULL, false);
INSERT INTO public.fact VALUES ('3e45eab9-72e6-443c-bddb-38301a734beb', 'paired', '316cc658-bc56-4431-9384-831ca601b99c', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', NULL, NULL, '2026-11-29 08:58:03.557447+00', NULL, false);
INSERT INTO public.fact VALUES ('d7771ec9-45db-4e59-955c-bb8a765c6770', 'hello', '316cc658-bc56-4431-9384-831ca601b99c', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', NULL, NULL, '2026-11-29 08:58:03.680861+00', NULL, false);
INSERT INTO public.fact VALUES ('ddbbd4de-b31f-4bb9-bc20-1a4f796fa457', 'hello', '316cc658-bc56-4431-9384-831ca601b99c', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', NULL, NULL, '2026-11-29 08:58:05.545901+00', NULL, false);


--
-- Data for Name: family; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.family VALUES ('4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'DG-6E41D559', 41, '2026-11-29 08:58:01.880341+00', NULL);


--
-- Data for Name: family_day; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: family_ending; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: guardian; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.guardian VALUES ('48295a4b-6a00-4304-bcbd-cbe278cfa45d', '+8613860690874', '', 'en', '2026-11-29 08:58:02.952327+00', NULL, false, NULL, '2026-11-29 08:58:02.952327+00');


--
-- Data for Name: guardian_device; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.guardian_device VALUES ('7d9e98a7-4ff8-4e6f-a713-47b188416a39', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '\xe2e8789e397830213a5b4d7a2be83ffcf049fed60e1de233c32f8d5dc12cdcf6', '2026-11-29 08:58:02.952327+00', '2026-11-29 08:58:02.952327+00', '2026-11-29 08:58:02.952327+00');


--
-- Data for Name: hand_out; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: help_request; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: inbox_item; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.inbox_item VALUES ('8fd91214-74f4-4293-a5b7-a8f290b40111', '1af363f2-a066-4384-a8fa-ac0b824015a1', 1, 'drgiyrmoohy6rdsf', 'message', '99936237-2b51-4beb-9812-34553d86bf32', NULL, 'delivered', 'w-cikjogytdpi5jkhw', '2026-11-29 08:58:03.717324+00', 1, '2026-11-29 08:59:03.717324+00', '2026-11-29 08:58:03.310012+00', '2026-11-29 08:58:03.800893+00', -1, 0, 0, NULL);
INSERT INTO public.inbox_item VALUES ('07686271-5d72-4550-8e0b-c18d83f6b4cb', '1af363f2-a066-4384-a8fa-ac0b824015a1', 2, 're3yx7uwtf7oqgld', 'message', '2c516ed0-a235-42f9-adae-d740db2ca4c5', NULL, 'delivered', 'w-cikjogytdpi5jkhw', '2026-11-29 08:58:04.033212+00', 1, '2026-11-29 08:59:04.0933+00', '2026-11-29 08:58:03.458868+00', '2026-11-29 08:58:04.153416+00', 0, 0, 0, NULL);
INSERT INTO public.inbox_item VALUES ('0db857c5-74d3-43f9-9bba-40feac0e5be9', '1af363f2-a066-4384-a8fa-ac0b824015a1', 3, 'zyfgfs33rmaniu2r', 'message', '321f2035-4573-4f9c-96a2-a93a615dddd4', NULL, 'delivered', 'w-cikjogytdpi5jkhw', '2026-11-29 08:58:05.068759+00', 1, '2026-11-29 08:59:05.068759+00', '2026-11-29 08:58:05.026015+00', '2026-11-29 08:58:05.101587+00', -1, 0, 0, NULL);
INSERT INTO public.inbox_item VALUES ('d5dbf480-b580-4378-8f38-80bdfb3675a1', '1af363f2-a066-4384-a8fa-ac0b824015a1', 4, 'rrusir4fb73t2aly', 'message', '44c4489a-9749-4a90-a815-e456eaa80bc2', NULL, 'delivered', 'w-cikjogytdpi5jkhw', '2026-11-29 08:58:05.560395+00', 1, '2026-11-29 08:59:05.560395+00', '2026-11-29 08:58:05.446002+00', '2026-11-29 08:58:05.733266+00', -1, 0, 0, NULL);


--
-- Data for Name: invitation; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: kept_message; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: latest_checkin; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.latest_checkin VALUES ('1af363f2-a066-4384-a8fa-ac0b824015a1', '2026-11-29 08:58:06+00', '2026-11-29 08:58:07.211645+00', 12, NULL, '\x01266739bacc4ef47b2e1a02518dcba0175bfaca11225bfe8e0b729614239cf71a3b346a0c426bf06975cb4d32817092772ee42041', NULL, NULL, NULL, '2026-11-29 08:58:06+00', NULL);


--
-- Data for Name: lease; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.lease VALUES ('uplink', 'vm/19353/5jy6z6xwibdm2ihj', 1, '2026-11-29 08:58:07.573092+00');


--
-- Data for Name: limit_bucket; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.limit_bucket VALUES ('\x12ad72e31012d4d9a243c8b157e48ea160d6546c2619221e85d5aa77a1f31eea', 59, true, '2026-11-29 08:58:02.77278+00', '2026-11-29 08:59:02.77278+00');
INSERT INTO public.limit_bucket VALUES ('\xc82db0c1ac567973f9b084fe138dacd407422a66fb53fc93106f7dbaeb744b8e', 4, true, '2026-11-29 08:58:02.77278+00', '2026-11-29 10:58:02.77278+00');
INSERT INTO public.limit_bucket VALUES ('\xbd52311417ec3dbfa7681a6fc5f8f8983f3b9fc43253300b0f5daa5223ba7066', 9, true, '2026-11-29 08:58:02.77278+00', '2026-11-29 09:58:02.77278+00');
INSERT INTO public.limit_bucket VALUES ('\x0a105c98aff6e965b97fbcbbbe28d122e005a8653b3c46a77beb08dabd2d530f', 29, true, '2026-11-29 08:58:02.77278+00', '2026-11-29 09:00:02.77278+00');
INSERT INTO public.limit_bucket VALUES ('\xf061ccc496c8d845421d3a999d0f1e573d2f1c9ff1e3795cd43589a2daf6148b', 2999, true, '2026-11-29 08:58:02.77278+00', '2026-11-29 08:58:31.57278+00');
INSERT INTO public.limit_bucket VALUES ('\x0987a9340f8187e51780a6a65fa8f1993e4b15a1a024453bc8f851d66c4a9935', 119, true, '2026-11-29 08:58:02.952327+00', '2026-11-29 08:58:17.952327+00');
INSERT INTO public.limit_bucket VALUES ('\x70b7e05f4ef11a9dc23c46c2fb7183207a0796babe668857670edbccd6996ac6', 59, true, '2026-11-29 08:58:03.395696+00', '2026-11-29 08:58:33.395696+00');
INSERT INTO public.limit_bucket VALUES ('\x28fc5d7c7efd0f038f17267774a91fc63f3fa754813a19c374a1e43cecef21cf', 1160.8755099999994, true, '2026-11-29 08:58:07.494011+00', '2026-11-29 08:58:27.056256+00');


--
-- Data for Name: log_in_slip; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: login_challenge; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.login_challenge VALUES ('9fbc51e0-a640-4791-814a-8a328234401c', '+8613860690874', '\xa36b539afe12f1c81042ce1548e6b22995a9427e4dadc42fee91b8a8cba92105', 1, '2026-11-29 08:58:02.77278+00', '2026-11-29 09:08:02.77278+00', '2026-11-29 08:58:02.952327+00', '\xefe9018be14006b0a49e0fa97de7a79fa6fe831581c86daf94cf59113d9bc475', '\x596647557ea7a77d7bfdba114ae02f828cf1023b7266bb821dc3bae821cbb5d1');


--
-- Data for Name: low_battery; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: membership; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.membership VALUES ('f645065e-d867-4c72-91a3-fecbdd3fbaf8', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'mother', true, true, true, true, '2026-11-29 08:58:02.952327+00', NULL, false, false);


--
-- Data for Name: message; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.message VALUES ('99936237-2b51-4beb-9812-34553d86bf32', '1af363f2-a066-4384-a8fa-ac0b824015a1', 1, 'to_child', 'text', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '978e1b49-a2a1-4264-8979-74061885ccf8', NULL, 'drgiyrmoohy6rdsf', '3df6c164741e40f426ed88429ded4fe2712bd52815944a64f41c2021b1614815', '\x01c50e0969d8f833f1ff06e8fd3952864bce88473f0f7a167f862392c621fac0ffbe88911abcab14ff1188f6317d1141c63ed1f9c7496ea70d90c73bdee690', NULL, '2026-11-29 08:58:03.310012+00', '2026-12-29 08:58:03.310012+00', NULL);
INSERT INTO public.message VALUES ('2c516ed0-a235-42f9-adae-d740db2ca4c5', '1af363f2-a066-4384-a8fa-ac0b824015a1', 2, 'to_child', 'voice', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '3a403c8a-ee0b-47bb-a879-a0c706f71887', NULL, 're3yx7uwtf7oqgld', '504bb185a421f88736b6138c511d8b4c6144c4d89010016c4e6cd2199e29393f', '\x01cd205249209fa3fa06b55c5173af3f365f03cb3674fe5612d65c0d92ede6156f14d55e4f9fbbd30fda4ac8a6f28d187ae64ae37ac86eeea608187090a46d323e6f9bd4e22add23599e5591dd2180ea6a14a3dd295f50b0bdf66f010d', NULL, '2026-11-29 08:58:03.458868+00', '2026-12-29 08:58:03.458868+00', 'b33433dc-7cd1-47a1-a327-f59c7705e381');
INSERT INTO public.message VALUES ('f80ad702-b0b1-4f00-99ec-d055c6b6eb92', '1af363f2-a066-4384-a8fa-ac0b824015a1', 3, 'to_family', 'voice', NULL, NULL, 'w-cikjogytdpi5jkhw', 'rpe66b9sf02vjb', 'b37c5487eb25b1308e56e17895326ec2da4a6eb0e1b62eaf8ac80f88caa6a29e', '\x01ef22c592835f791515c646139a42d8c10869f309139d6d14f70c97e5c3eb1eeab6925492da10b10c4cba569780c7cf914142322261af093d7941006e790553f0cf1896526f3956c7bd1ca289561707a3dff87fec5a1df6745f8c5b2a', '2026-11-29 08:58:03+00', '2026-11-29 08:58:04.443931+00', '2026-12-29 08:58:04.443931+00', '8e6275b6-cb11-49f6-a401-78a335622e58');
INSERT INTO public.message VALUES ('321f2035-4573-4f9c-96a2-a93a615dddd4', '1af363f2-a066-4384-a8fa-ac0b824015a1', 4, 'to_child', 'text', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'ab8d3b4b-422c-435d-931f-e88c971023eb', NULL, 'zyfgfs33rmaniu2r', '3d0769258c920ee5f95ffa233ae07469aeb4d595b36d4366dc938243b62c36dd', '\x012cca17079459404e73534b80d2ae3bcb421b22ded94220264c0e0cb6566eb58d88234fb3c9a3e3fe49a720cf401db4dc8cc807765156d0e0ca26de29c59df7', NULL, '2026-11-29 08:58:05.026015+00', '2026-12-29 08:58:05.026015+00', NULL);
INSERT INTO public.message VALUES ('762edd88-9fe4-4114-a75a-f36fcdb365cf', '1af363f2-a066-4384-a8fa-ac0b824015a1', 5, 'to_family', 'text', NULL, NULL, 'w-cikjogytdpi5jkhw', 'ndk4pekwal1rwe', '42d25a0db9b784edf8f057bd39967924ad2913bdfeb787b8d6d7222d63db6166', '\x0106cbccd8efefbc6f5e1c8b0bed49c0004616cf68207419b87e905917059378f864b02be97b6d8c94344a8c1d482d6722b507', '2026-11-29 08:58:04+00', '2026-11-29 08:58:05.260218+00', '2026-12-29 08:58:05.260218+00', NULL);
INSERT INTO public.message VALUES ('44c4489a-9749-4a90-a815-e456eaa80bc2', '1af363f2-a066-4384-a8fa-ac0b824015a1', 6, 'to_child', 'text', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '6171e386-75f9-4996-8521-32280dd62f76', NULL, 'rrusir4fb73t2aly', 'f8ff6ae8bd7af9cd463d4160891fd2d9285b16e33832c6d585e702c4625308dc', '\x0186c1fd1371418ac98994f3714a8e83d82a48eb3cb04458d325788612eb40f0296f870923cd1680253aa5', NULL, '2026-11-29 08:58:05.446002+00', '2026-12-29 08:58:05.446002+00', NULL);
INSERT INTO public.message VALUES ('750aa106-35de-420a-b2aa-2163d322c2c8', '1af363f2-a066-4384-a8fa-ac0b824015a1', 7, 'to_family', 'text', NULL, NULL, 'w-cikjogytdpi5jkhw', 'kl5klnwpprlj2d', 'b6dd4c4b86d87c6ea123a58f732542486720dff9c43018f6c2f6a06ac9510178', '\x012a87b99d08b083ba8f77e86cbe509c64e70354a20288b4c42f4cd1bfedb69402b89bb385574fd8a97e21af0c95', '2026-11-29 08:58:04+00', '2026-11-29 08:58:05.596183+00', '2026-12-29 08:58:05.596183+00', NULL);


--
-- Data for Name: message_recipient; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.message_recipient VALUES ('460e7997-a433-410d-8b9f-c0e78ec0841c', '99936237-2b51-4beb-9812-34553d86bf32', NULL, NULL, 'delivered', NULL, '2026-11-29 08:58:03.800893+00', '2026-11-29 08:58:03.800893+00', NULL, NULL, NULL, NULL);
INSERT INTO public.message_recipient VALUES ('842ad9d9-bbac-4ead-ae3a-4215f43d6087', '2c516ed0-a235-42f9-adae-d740db2ca4c5', NULL, NULL, 'played', NULL, '2026-11-29 08:58:04.245067+00', '2026-11-29 08:58:04.153416+00', '2026-11-29 08:58:04.245067+00', NULL, NULL, NULL);
INSERT INTO public.message_recipient VALUES ('25d7e0b3-7403-41fd-82b0-a6f4224541fa', 'f80ad702-b0b1-4f00-99ec-d055c6b6eb92', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'g-1', 'played', NULL, '2026-11-29 08:58:04.967746+00', '2026-11-29 08:58:04.967746+00', '2026-11-29 08:58:04.967746+00', 'played', 'played', '2026-11-29 08:58:04.988316+00');
INSERT INTO public.message_recipient VALUES ('2ec336c7-d8fe-450a-aec0-628d44e8aaac', '321f2035-4573-4f9c-96a2-a93a615dddd4', NULL, NULL, 'played', NULL, '2026-11-29 08:58:05.201082+00', '2026-11-29 08:58:05.101587+00', '2026-11-29 08:58:05.201082+00', NULL, NULL, NULL);
INSERT INTO public.message_recipient VALUES ('501966fc-0496-4852-aede-8cfa5c1a94de', '762edd88-9fe4-4114-a75a-f36fcdb365cf', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'g-1', 'played', NULL, '2026-11-29 08:58:05.388099+00', '2026-11-29 08:58:05.388099+00', '2026-11-29 08:58:05.388099+00', 'played', 'played', '2026-11-29 08:58:05.403092+00');
INSERT INTO public.message_recipient VALUES ('25c9841f-2872-4e53-9931-9329fef10b83', '750aa106-35de-420a-b2aa-2163d322c2c8', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'g-1', 'stored', NULL, '2026-11-29 08:58:05.596183+00', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.message_recipient VALUES ('71fe31a6-53ce-4dd1-891d-55f95fe4387e', '44c4489a-9749-4a90-a815-e456eaa80bc2', NULL, NULL, 'delivered', NULL, '2026-11-29 08:58:05.733266+00', '2026-11-29 08:58:05.733266+00', NULL, NULL, NULL, NULL);


--
-- Data for Name: notice; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: nudge; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: nudge_wanted; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: open_stream; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: outbox; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: pairing; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.pairing VALUES ('7283a056-7a30-493f-aa5f-977aeec8413b', '316cc658-bc56-4431-9384-831ca601b99c', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'w-cikjogytdpi5jkhw', NULL, '2026-11-29 08:58:03.557447+00', '2026-11-29 08:58:03.680861+00', NULL, NULL);


--
-- Data for Name: pairing_attempt; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.pairing_attempt VALUES ('87d7100b-a067-4c18-a1b1-f8883f92d29d', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '2026-11-29 08:58:03.522991+00');


--
-- Data for Name: pairing_code; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.pairing_code VALUES ('97c08915-c291-4f3e-bf00-c6888dc082d3', '316cc658-bc56-4431-9384-831ca601b99c', '\x90aea90e7ad03f5a846f411884e9927398b8c15463285611999c682e220046b1', '\x0205666972737401e97a56c57c99b9ac7dc9b02980fe29114ef5b0eeda7bdff332dae31af7979ee01119', '2026-11-29 08:58:02.598594+00', '2026-11-29 09:08:02.598594+00', '2026-11-29 08:58:03.557447+00', '7283a056-7a30-493f-aa5f-977aeec8413b');


--
-- Data for Name: phone_upload; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: phone_upload_part; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: programme; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.programme VALUES ('e490dfd0-29b3-403b-909e-6fa89f9580d6', 'WeCare', '2026-11-29 08:57:55.349608+00', NULL);


--
-- Data for Name: push_endpoint; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: quiet_since; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: recovery; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: refresh_token; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.refresh_token VALUES ('\x76fb4fa3eb6ead1b1d478a98eec08e8b156f2bf2ef0681585283abfbc4db3a82', 'de17e26b-ea80-4b2f-a3fa-312d07a6894b', '2026-11-29 08:58:02.952327+00', '2026-12-29 08:58:02.952327+00', NULL);


--
-- Data for Name: rendition; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.rendition VALUES ('6fc1b89f-e910-47ad-a129-ca26c1137737', 'b33433dc-7cd1-47a1-a327-f59c7705e381', 'amr-nb', 262144, '588e1936-aaf6-47f9-bd71-7ece51ef045c', NULL, 6566, '72fc8ec632862a97afba6506efff35e49865f43412949586b138eaf0d19cd499', 4075, 12200, '2026-11-29 08:58:03.920962+00');
INSERT INTO public.rendition VALUES ('8700e9ed-c037-409a-9b73-4926ee91dcbf', '8e6275b6-cb11-49f6-a401-78a335622e58', 'phone', 0, 'b5c3aa2e-90c3-42fe-a5b5-e9dd9e3eab98', NULL, 14117, '6b94fee7d8e9fcfe0aa5ebc9c0c6bdae91f6c104270a7d4a600527d5f652ad89', 3080, 28000, '2026-11-29 08:58:04.584809+00');


--
-- Data for Name: safe_zone; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.safe_zone VALUES ('e40fe308-4d44-427d-ac58-660b422681ee', '1af363f2-a066-4384-a8fa-ac0b824015a1', '\x01340892e583700e2c6f20a4289a956a31333a92afb8eb54d140bcd0a909ef46e0e1d6cfe2cf928737a14626dc26b08d5062786a112dcdbbf77e778067d95dc3745fe42afcd83f94f770a68f0f77ec1f03d281818454d07ef41c3b8845197f70cd', '[]', 'inside', 0, '2026-11-29 08:58:05+00', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '2026-11-29 08:58:05.954232+00', '2026-11-29 08:58:05.954232+00');


--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.session VALUES ('de17e26b-ea80-4b2f-a3fa-312d07a6894b', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', '2026-11-29 08:58:02.952327+00', '2026-11-29 08:58:02.952327+00', NULL, NULL, '7d9e98a7-4ff8-4e6f-a713-47b188416a39', false);


--
-- Data for Name: sim_month; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: site; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.site VALUES ('6c476094-05a8-490e-9e57-bcda51dd9cfa', 'e490dfd0-29b3-403b-909e-6fa89f9580d6', 'Dongguan', 'CN', 'Asia/Shanghai', 'en', 'factory', '2026-11-29 08:57:56.807566+00');


--
-- Data for Name: sos_place; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff_origin; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff_recovery_code; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff_refresh_token; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff_request; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff_scope; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: staff_session; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: survey; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: survey_answer; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: survey_question; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: survey_report; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: training_attended; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: uplink; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.uplink VALUES ('w-cikjogytdpi5jkhw', 'rpe66b9sf02vjb', 'voice', 'd5336ace5333ab949830b316a40df7dda218d7910ada932240d718a47485ae8e', 'stored', NULL, '2026-11-29 08:58:04.443931+00');
INSERT INTO public.uplink VALUES ('w-cikjogytdpi5jkhw', 'ndk4pekwal1rwe', 'text', '2373d5d4a3f07de45a123f354326d0998e191934b5b96332b600b2b460c46a48', 'stored', NULL, '2026-11-29 08:58:05.260218+00');
INSERT INTO public.uplink VALUES ('w-cikjogytdpi5jkhw', 'kl5klnwpprlj2d', 'text', 'cac258db4c3b1c34403b846235119c4d6fdfe4fadabde12aafa10df482454ba3', 'stored', NULL, '2026-11-29 08:58:05.596183+00');
INSERT INTO public.uplink VALUES ('w-cikjogytdpi5jkhw', 'z4zlvsa9leh9af', 'alert', '725a0d1260c457deb31b8de993522919310dcb1d995d732ac99e236310399516', 'stored', NULL, '2026-11-29 08:58:07.380941+00');


--
-- Data for Name: usage_cell; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: usage_export; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: usage_export_file; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: usage_population; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: usage_report; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: usage_week; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: watch; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.watch VALUES ('316cc658-bc56-4431-9384-831ca601b99c', 'SIM6E41D559', NULL, 'sim-1', '6c476094-05a8-490e-9e57-bcda51dd9cfa', 'handed_out', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '$7$101$1yJfEEj1BJlG/o33$5UZHBR/Tk13DRxP2qj7uGFrXV+XOqHsK4in559Vc2lBnQhXmaszgpLKUIaobCUJ4ovZ9nOhBeYqc+YT1y6B2vQ==', '\x4cdfe987861083ea7def07ec41430fe409b475c4d02ed0adff03f4c6c7ea2abb', NULL, NULL, NULL, '2026-11-29 08:58:00.09494+00', NULL, NULL, 0);


--
-- Data for Name: watch_command; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.watch_command VALUES ('d4460b9f-0743-4576-b6f3-cd6375825dca', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'w-cikjogytdpi5jkhw', '32iownp7mjbe', 'locate', '48295a4b-6a00-4304-bcbd-cbe278cfa45d', 'g-1', 'done', NULL, 90, '2026-11-29 08:58:07.11821+00', '2026-11-29 08:59:37.11821+00', '2026-11-29 08:58:07.147941+00', '2026-11-29 08:58:07.179485+00');


--
-- Data for Name: watch_day; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: watch_given; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.watch_given VALUES ('151750d8-57a5-4ca1-b588-a4a2c9d0e940', '316cc658-bc56-4431-9384-831ca601b99c', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', 'operator', '', 'registered', '2026-11-29 08:58:01.880341+00', NULL);


--
-- Data for Name: watch_identity; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.watch_identity VALUES ('w-cikjogytdpi5jkhw', '316cc658-bc56-4431-9384-831ca601b99c', '1af363f2-a066-4384-a8fa-ac0b824015a1', '4b85a92e-0e70-4ccd-b811-6a4724d41a1a', '$7$101$wy7S9h6Vedb2Lk6Z$i+r1H/8OdDFpvtewJA3+bc07OA1THTmhXs1xEr/js5ZGTWTuA/YxgX8BifviJa4XGXlkF6CT8VVNgwl0H55sQA==', '2026-11-29 08:58:03.557447+00', '2026-11-29 08:58:03.619976+00', NULL, true, 'bf24b49c', '2026-11-29 08:58:05.545901+00', NULL, '{"boot": 1, "model": "sim-1", "plays": ["amr-nb", "opus"], "binary": true, "mono_s": 3, "records": ["amr-nb"], "firmware": "1.0.0", "protocol": 1, "max_play_s": 60, "battery_pct": 81, "chunk_bytes": 4096, "config_version": 1, "max_clip_bytes": 262144, "contacts_version": 2, "max_payload_bytes": 4096}', 2, 2, NULL, 2, 2, '2026-11-29 08:58:05.917734+00', 0, '', '2026-11-29 08:58:05.545901+00', 1200, 1, 0);


--
-- Data for Name: watch_presence; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.watch_presence VALUES ('w-cikjogytdpi5jkhw', '2026-11-29 08:58:05.545901+00', 81, '2026-11-29 08:58:03.680861+00', NULL, NULL, -1);


--
-- Data for Name: watch_settings; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.watch_settings VALUES ('1af363f2-a066-4384-a8fa-ac0b824015a1', 2, 1800, true, '[]', 'Asia/Shanghai', 'en', 70, '2026-11-29 08:58:05.898824+00', 28800);


--
-- Data for Name: wipe_order; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: zone_passage; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: open_stream_stream_no_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.open_stream_stream_no_seq', 5, true);


--
-- Name: outbox_outbox_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.outbox_outbox_id_seq', 22, true);


--
-- Name: checkin pk_checkin; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.checkin
    ADD CONSTRAINT pk_checkin PRIMARY KEY (username, ref, tst);


--
-- Name: checkin_2026_10 checkin_2026_10_pkey; Type: CONSTRAINT; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY checkin_months.checkin_2026_10
    ADD CONSTRAINT checkin_2026_10_pkey PRIMARY KEY (username, ref, tst);


--
-- Name: checkin_2026_11 checkin_2026_11_pkey; Type: CONSTRAINT; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY checkin_months.checkin_2026_11
    ADD CONSTRAINT checkin_2026_11_pkey PRIMARY KEY (username, ref, tst);


--
-- Name: checkin_2026_12 checkin_2026_12_pkey; Type: CONSTRAINT; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY checkin_months.checkin_2026_12
    ADD CONSTRAINT checkin_2026_12_pkey PRIMARY KEY (username, ref, tst);


--
-- Name: checkin_2027_01 checkin_2027_01_pkey; Type: CONSTRAINT; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY checkin_months.checkin_2027_01
    ADD CONSTRAINT checkin_2027_01_pkey PRIMARY KEY (username, ref, tst);


--
-- Name: checkin_default checkin_default_pkey; Type: CONSTRAINT; Schema: checkin_months; Owner: -
--

ALTER TABLE ONLY checkin_months.checkin_default
    ADD CONSTRAINT checkin_default_pkey PRIMARY KEY (username, ref, tst);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: alert pk_alert; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT pk_alert PRIMARY KEY (alert_id);


--
-- Name: audio_upload pk_audio_upload; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audio_upload
    ADD CONSTRAINT pk_audio_upload PRIMARY KEY (username, ref);


--
-- Name: audio_upload_total pk_audio_upload_total; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audio_upload_total
    ADD CONSTRAINT pk_audio_upload_total PRIMARY KEY (username);


--
-- Name: audit pk_audit; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (audit_id);


--
-- Name: audit_chain pk_audit_chain; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_chain
    ADD CONSTRAINT pk_audit_chain PRIMARY KEY (chain_id);


--
-- Name: blob pk_blob; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT pk_blob PRIMARY KEY (blob_id);


--
-- Name: break_glass pk_break_glass; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT pk_break_glass PRIMARY KEY (break_glass_id);


--
-- Name: child pk_child; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.child
    ADD CONSTRAINT pk_child PRIMARY KEY (child_id);


--
-- Name: child_agreement pk_child_agreement; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT pk_child_agreement PRIMARY KEY (agreement_id);


--
-- Name: clip pk_clip; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clip
    ADD CONSTRAINT pk_clip PRIMARY KEY (clip_id);


--
-- Name: clip_chunk pk_clip_chunk; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clip_chunk
    ADD CONSTRAINT pk_clip_chunk PRIMARY KEY (username, ref, number);


--
-- Name: cohort pk_cohort; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT pk_cohort PRIMARY KEY (cohort_id);


--
-- Name: consent pk_consent; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT pk_consent PRIMARY KEY (consent_id);


--
-- Name: contact pk_contact; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT pk_contact PRIMARY KEY (contact_id);


--
-- Name: contact_list pk_contact_list; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_list
    ADD CONSTRAINT pk_contact_list PRIMARY KEY (child_id);


--
-- Name: contest pk_contest; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT pk_contest PRIMARY KEY (contest_id);


--
-- Name: contest_decision pk_contest_decision; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT pk_contest_decision PRIMARY KEY (decision_id);


--
-- Name: database_mark pk_database_mark; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.database_mark
    ADD CONSTRAINT pk_database_mark PRIMARY KEY (mark);


--
-- Name: enrolment pk_enrolment; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT pk_enrolment PRIMARY KEY (enrolment_id);


--
-- Name: erasure pk_erasure; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT pk_erasure PRIMARY KEY (erasure_id);


--
-- Name: erasure_ledger pk_erasure_ledger; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.erasure_ledger
    ADD CONSTRAINT pk_erasure_ledger PRIMARY KEY (erasure_id);


--
-- Name: event pk_event; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (family_id, seq);


--
-- Name: export pk_export; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export
    ADD CONSTRAINT pk_export PRIMARY KEY (export_id);


--
-- Name: fact pk_fact; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT pk_fact PRIMARY KEY (fact_id);


--
-- Name: family pk_family; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.family
    ADD CONSTRAINT pk_family PRIMARY KEY (family_id);


--
-- Name: family_day pk_family_day; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.family_day
    ADD CONSTRAINT pk_family_day PRIMARY KEY (family_id, day);


--
-- Name: family_ending pk_family_ending; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.family_ending
    ADD CONSTRAINT pk_family_ending PRIMARY KEY (family_id);


--
-- Name: guardian pk_guardian; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guardian
    ADD CONSTRAINT pk_guardian PRIMARY KEY (guardian_id);


--
-- Name: guardian_device pk_guardian_device; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guardian_device
    ADD CONSTRAINT pk_guardian_device PRIMARY KEY (device_id);


--
-- Name: hand_out pk_hand_out; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT pk_hand_out PRIMARY KEY (hand_out_id);


--
-- Name: help_request pk_help_request; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.help_request
    ADD CONSTRAINT pk_help_request PRIMARY KEY (help_id);


--
-- Name: inbox_item pk_inbox_item; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT pk_inbox_item PRIMARY KEY (inbox_item_id);


--
-- Name: invitation pk_invitation; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT pk_invitation PRIMARY KEY (invitation_id);


--
-- Name: kept_message pk_kept_message; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.kept_message
    ADD CONSTRAINT pk_kept_message PRIMARY KEY (message_id, guardian_id);


--
-- Name: latest_checkin pk_latest_checkin; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.latest_checkin
    ADD CONSTRAINT pk_latest_checkin PRIMARY KEY (child_id);


--
-- Name: lease pk_lease; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (name);


--
-- Name: limit_bucket pk_limit_bucket; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.limit_bucket
    ADD CONSTRAINT pk_limit_bucket PRIMARY KEY (bucket_key);


--
-- Name: log_in_slip pk_log_in_slip; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT pk_log_in_slip PRIMARY KEY (slip_id);


--
-- Name: login_challenge pk_login_challenge; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.login_challenge
    ADD CONSTRAINT pk_login_challenge PRIMARY KEY (challenge_id);


--
-- Name: low_battery pk_low_battery; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.low_battery
    ADD CONSTRAINT pk_low_battery PRIMARY KEY (username);


--
-- Name: membership pk_membership; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT pk_membership PRIMARY KEY (membership_id);


--
-- Name: message pk_message; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message
    ADD CONSTRAINT pk_message PRIMARY KEY (message_id);


--
-- Name: message_recipient pk_message_recipient; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT pk_message_recipient PRIMARY KEY (recipient_id);


--
-- Name: notice pk_notice; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT pk_notice PRIMARY KEY (notice_id);


--
-- Name: nudge pk_nudge; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT pk_nudge PRIMARY KEY (nudge_id);


--
-- Name: nudge_wanted pk_nudge_wanted; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nudge_wanted
    ADD CONSTRAINT pk_nudge_wanted PRIMARY KEY (guardian_id);


--
-- Name: open_stream pk_open_stream; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.open_stream
    ADD CONSTRAINT pk_open_stream PRIMARY KEY (stream_no);


--
-- Name: outbox pk_outbox; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (outbox_id);


--
-- Name: pairing pk_pairing; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT pk_pairing PRIMARY KEY (pairing_id);


--
-- Name: pairing_attempt pk_pairing_attempt; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing_attempt
    ADD CONSTRAINT pk_pairing_attempt PRIMARY KEY (pairing_attempt_id);


--
-- Name: pairing_code pk_pairing_code; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing_code
    ADD CONSTRAINT pk_pairing_code PRIMARY KEY (pairing_code_id);


--
-- Name: phone_upload pk_phone_upload; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT pk_phone_upload PRIMARY KEY (upload_id);


--
-- Name: phone_upload_part pk_phone_upload_part; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.phone_upload_part
    ADD CONSTRAINT pk_phone_upload_part PRIMARY KEY (upload_id, "offset");


--
-- Name: programme pk_programme; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.programme
    ADD CONSTRAINT pk_programme PRIMARY KEY (programme_id);


--
-- Name: push_endpoint pk_push_endpoint; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT pk_push_endpoint PRIMARY KEY (endpoint_id);


--
-- Name: quiet_since pk_quiet_since; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.quiet_since
    ADD CONSTRAINT pk_quiet_since PRIMARY KEY (child_id, since_at);


--
-- Name: recovery pk_recovery; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT pk_recovery PRIMARY KEY (recovery_id);


--
-- Name: refresh_token pk_refresh_token; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT pk_refresh_token PRIMARY KEY (token_hash);


--
-- Name: rendition pk_rendition; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT pk_rendition PRIMARY KEY (rendition_id);


--
-- Name: safe_zone pk_safe_zone; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.safe_zone
    ADD CONSTRAINT pk_safe_zone PRIMARY KEY (zone_id);


--
-- Name: session pk_session; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT pk_session PRIMARY KEY (session_id);


--
-- Name: sim_month pk_sim_month; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sim_month
    ADD CONSTRAINT pk_sim_month PRIMARY KEY (watch_id, month);


--
-- Name: site pk_site; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.site
    ADD CONSTRAINT pk_site PRIMARY KEY (site_id);


--
-- Name: sos_place pk_sos_place; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sos_place
    ADD CONSTRAINT pk_sos_place PRIMARY KEY (alert_id);


--
-- Name: staff pk_staff; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT pk_staff PRIMARY KEY (staff_id);


--
-- Name: staff_origin pk_staff_origin; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_origin
    ADD CONSTRAINT pk_staff_origin PRIMARY KEY (staff_id, by_staff_id);


--
-- Name: staff_recovery_code pk_staff_recovery_code; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_recovery_code
    ADD CONSTRAINT pk_staff_recovery_code PRIMARY KEY (code_hash);


--
-- Name: staff_refresh_token pk_staff_refresh_token; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_refresh_token
    ADD CONSTRAINT pk_staff_refresh_token PRIMARY KEY (token_hash);


--
-- Name: staff_request pk_staff_request; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT pk_staff_request PRIMARY KEY (request_id);


--
-- Name: staff_scope pk_staff_scope; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT pk_staff_scope PRIMARY KEY (staff_scope_id);


--
-- Name: staff_session pk_staff_session; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT pk_staff_session PRIMARY KEY (staff_session_id);


--
-- Name: survey pk_survey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT pk_survey PRIMARY KEY (survey_id);


--
-- Name: survey_answer pk_survey_answer; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT pk_survey_answer PRIMARY KEY (survey_id, question, family_id, wave);


--
-- Name: survey_question pk_survey_question; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_question
    ADD CONSTRAINT pk_survey_question PRIMARY KEY (survey_id, question);


--
-- Name: survey_report pk_survey_report; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_report
    ADD CONSTRAINT pk_survey_report PRIMARY KEY (survey_id, scope_id);


--
-- Name: training_attended pk_training_attended; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.training_attended
    ADD CONSTRAINT pk_training_attended PRIMARY KEY (enrolment_id, training);


--
-- Name: uplink pk_uplink; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uplink
    ADD CONSTRAINT pk_uplink PRIMARY KEY (username, ref);


--
-- Name: usage_cell pk_usage_cell; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_cell
    ADD CONSTRAINT pk_usage_cell PRIMARY KEY (audience, programme_id, scope_id, week, indicator);


--
-- Name: usage_export pk_usage_export; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT pk_usage_export PRIMARY KEY (usage_export_id);


--
-- Name: usage_export_file pk_usage_export_file; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_export_file
    ADD CONSTRAINT pk_usage_export_file PRIMARY KEY (usage_export_id);


--
-- Name: usage_population pk_usage_population; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT pk_usage_population PRIMARY KEY (quarter, family_id);


--
-- Name: usage_report pk_usage_report; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_report
    ADD CONSTRAINT pk_usage_report PRIMARY KEY (report_id);


--
-- Name: usage_week pk_usage_week; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_week
    ADD CONSTRAINT pk_usage_week PRIMARY KEY (programme_id, week);


--
-- Name: watch pk_watch; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT pk_watch PRIMARY KEY (watch_id);


--
-- Name: watch_command pk_watch_command; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT pk_watch_command PRIMARY KEY (command_id);


--
-- Name: watch_day pk_watch_day; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_day
    ADD CONSTRAINT pk_watch_day PRIMARY KEY (family_id, watch_id, day);


--
-- Name: watch_given pk_watch_given; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_given
    ADD CONSTRAINT pk_watch_given PRIMARY KEY (given_id);


--
-- Name: watch_identity pk_watch_identity; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT pk_watch_identity PRIMARY KEY (username);


--
-- Name: watch_presence pk_watch_presence; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_presence
    ADD CONSTRAINT pk_watch_presence PRIMARY KEY (username);


--
-- Name: watch_settings pk_watch_settings; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_settings
    ADD CONSTRAINT pk_watch_settings PRIMARY KEY (child_id);


--
-- Name: wipe_order pk_wipe_order; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.wipe_order
    ADD CONSTRAINT pk_wipe_order PRIMARY KEY (username);


--
-- Name: zone_passage pk_zone_passage; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.zone_passage
    ADD CONSTRAINT pk_zone_passage PRIMARY KEY (passage_id);


--
-- Name: audit uq_audit_chain_id_seq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT uq_audit_chain_id_seq UNIQUE (chain_id, seq);


--
-- Name: cohort uq_cohort_site_id_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT uq_cohort_site_id_name UNIQUE (site_id, name);


--
-- Name: contact uq_contact_child_id_wire_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT uq_contact_child_id_wire_id UNIQUE (child_id, wire_id);


--
-- Name: family uq_family_family_code; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.family
    ADD CONSTRAINT uq_family_family_code UNIQUE (family_code);


--
-- Name: guardian_device uq_guardian_device_token_hash; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guardian_device
    ADD CONSTRAINT uq_guardian_device_token_hash UNIQUE (token_hash);


--
-- Name: guardian uq_guardian_phone; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guardian
    ADD CONSTRAINT uq_guardian_phone UNIQUE (phone);


--
-- Name: hand_out uq_hand_out_code_hash; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT uq_hand_out_code_hash UNIQUE (code_hash);


--
-- Name: inbox_item uq_inbox_item_child_id_ref; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT uq_inbox_item_child_id_ref UNIQUE (child_id, ref);


--
-- Name: inbox_item uq_inbox_item_child_id_seq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT uq_inbox_item_child_id_seq UNIQUE (child_id, seq);


--
-- Name: log_in_slip uq_log_in_slip_code_hash; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT uq_log_in_slip_code_hash UNIQUE (code_hash);


--
-- Name: log_in_slip uq_log_in_slip_hand_out_id_family_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT uq_log_in_slip_hand_out_id_family_id UNIQUE (hand_out_id, family_id);


--
-- Name: message uq_message_child_id_seq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message
    ADD CONSTRAINT uq_message_child_id_seq UNIQUE (child_id, seq);


--
-- Name: nudge uq_nudge_guardian_id_local_day; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT uq_nudge_guardian_id_local_day UNIQUE (guardian_id, local_day);


--
-- Name: pairing uq_pairing_username; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT uq_pairing_username UNIQUE (username);


--
-- Name: phone_upload uq_phone_upload_guardian_id_client_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT uq_phone_upload_guardian_id_client_key UNIQUE (guardian_id, client_key);


--
-- Name: programme uq_programme_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.programme
    ADD CONSTRAINT uq_programme_name UNIQUE (name);


--
-- Name: push_endpoint uq_push_endpoint_guardian_id_mark; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT uq_push_endpoint_guardian_id_mark UNIQUE (guardian_id, mark);


--
-- Name: rendition uq_rendition_clip_id_form_max_bytes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT uq_rendition_clip_id_form_max_bytes UNIQUE (clip_id, form, max_bytes);


--
-- Name: site uq_site_programme_id_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.site
    ADD CONSTRAINT uq_site_programme_id_name UNIQUE (programme_id, name);


--
-- Name: staff uq_staff_email; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT uq_staff_email UNIQUE (email);


--
-- Name: staff_scope uq_staff_scope_staff_id_programme_id_site_id; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT uq_staff_scope_staff_id_programme_id_site_id UNIQUE NULLS NOT DISTINCT (staff_id, programme_id, site_id);


--
-- Name: survey uq_survey_programme_id_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT uq_survey_programme_id_name UNIQUE (programme_id, name);


--
-- Name: watch_command uq_watch_command_username_ref; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT uq_watch_command_username_ref UNIQUE (username, ref);


--
-- Name: watch uq_watch_factory_secret_mark; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_factory_secret_mark UNIQUE (factory_secret_mark);


--
-- Name: watch uq_watch_imei; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_imei UNIQUE (imei);


--
-- Name: watch uq_watch_serial; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_serial UNIQUE (serial);


--
-- Name: checkin_of_child; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX checkin_of_child ON ONLY public.checkin USING btree (child_id, happened_at);


--
-- Name: checkin_2026_10_child_id_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2026_10_child_id_happened_at_idx ON checkin_months.checkin_2026_10 USING btree (child_id, happened_at);


--
-- Name: checkin_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX checkin_by_time ON ONLY public.checkin USING brin (happened_at);


--
-- Name: checkin_2026_10_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2026_10_happened_at_idx ON checkin_months.checkin_2026_10 USING brin (happened_at);


--
-- Name: checkin_2026_11_child_id_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2026_11_child_id_happened_at_idx ON checkin_months.checkin_2026_11 USING btree (child_id, happened_at);


--
-- Name: checkin_2026_11_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2026_11_happened_at_idx ON checkin_months.checkin_2026_11 USING brin (happened_at);


--
-- Name: checkin_2026_12_child_id_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2026_12_child_id_happened_at_idx ON checkin_months.checkin_2026_12 USING btree (child_id, happened_at);


--
-- Name: checkin_2026_12_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2026_12_happened_at_idx ON checkin_months.checkin_2026_12 USING brin (happened_at);


--
-- Name: checkin_2027_01_child_id_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2027_01_child_id_happened_at_idx ON checkin_months.checkin_2027_01 USING btree (child_id, happened_at);


--
-- Name: checkin_2027_01_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_2027_01_happened_at_idx ON checkin_months.checkin_2027_01 USING brin (happened_at);


--
-- Name: checkin_default_child_id_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_default_child_id_happened_at_idx ON checkin_months.checkin_default USING btree (child_id, happened_at);


--
-- Name: checkin_default_happened_at_idx; Type: INDEX; Schema: checkin_months; Owner: -
--

CREATE INDEX checkin_default_happened_at_idx ON checkin_months.checkin_default USING brin (happened_at);


--
-- Name: alert_escalating; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_escalating ON public.alert USING btree (escalate_at) WHERE (escalate_at IS NOT NULL);


--
-- Name: alert_of_child; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX alert_of_child ON public.alert USING btree (child_id, raised_at);


--
-- Name: alert_of_watch; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX alert_of_watch ON public.alert USING btree (username, ref) WHERE (ref IS NOT NULL);


--
-- Name: audio_upload_oldest; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audio_upload_oldest ON public.audio_upload USING btree (username, received_at);


--
-- Name: blob_to_sweep; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX blob_to_sweep ON public.blob USING btree (state, changed_at) WHERE ((state)::text <> 'kept'::text);


--
-- Name: break_glass_to_tell; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX break_glass_to_tell ON public.break_glass USING btree (tell_at) WHERE (told_at IS NULL);


--
-- Name: child_agreement_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX child_agreement_standing ON public.child_agreement USING btree (child_id) WHERE (withdrawn_at IS NULL);


--
-- Name: command_of_child; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX command_of_child ON public.watch_command USING btree (child_id, asked_at);


--
-- Name: command_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX command_open ON public.watch_command USING btree (expires_at) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'sent'::character varying, 'delivered'::character varying])::text[]));


--
-- Name: consent_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX consent_standing ON public.consent USING btree (guardian_id, family_id, part) WHERE (withdrawn_at IS NULL);


--
-- Name: contact_of_guardian; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX contact_of_guardian ON public.contact USING btree (child_id, guardian_id) WHERE ((removed_at IS NULL) AND (guardian_id IS NOT NULL));


--
-- Name: contest_decision_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contest_decision_due ON public.contest_decision USING btree (due_at) WHERE ((state)::text = 'waiting'::text);


--
-- Name: contest_decision_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX contest_decision_standing ON public.contest_decision USING btree (contest_id) WHERE ((state)::text = ANY ((ARRAY['asked'::character varying, 'waiting'::character varying])::text[]));


--
-- Name: contest_open; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX contest_open ON public.contest USING btree (family_id, raised_by, about_id, "right") WHERE ((state)::text = 'open'::text);


--
-- Name: enrolment_phone; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX enrolment_phone ON public.enrolment USING btree (guardian_phone);


--
-- Name: enrolment_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX enrolment_standing ON public.enrolment USING btree (family_id) WHERE (ended_at IS NULL);


--
-- Name: erasure_to_finish; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX erasure_to_finish ON public.erasure USING btree (asked_at) WHERE (rows_gone_at IS NULL);


--
-- Name: export_running; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX export_running ON public.export USING btree (guardian_id) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'running'::character varying])::text[]));


--
-- Name: fact_to_count; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX fact_to_count ON public.fact USING btree (received_at) WHERE (NOT counted);


--
-- Name: given_by_actor; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX given_by_actor ON public.watch_given USING btree (actor_kind, actor_id, given_at);


--
-- Name: help_open; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX help_open ON public.help_request USING btree (child_id, kind) WHERE (done_at IS NULL);


--
-- Name: identity_of_child; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX identity_of_child ON public.watch_identity USING btree (child_id) WHERE (ended_at IS NULL);


--
-- Name: identity_of_watch; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX identity_of_watch ON public.watch_identity USING btree (watch_id) WHERE (ended_at IS NULL);


--
-- Name: inbox_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_due ON public.inbox_item USING btree (next_announce_at) WHERE ((state)::text = 'waiting'::text);


--
-- Name: inbox_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_waiting ON public.inbox_item USING btree (child_id, seq) WHERE ((state)::text = 'waiting'::text);


--
-- Name: invitation_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX invitation_standing ON public.invitation USING btree (family_id, phone) WHERE (ended_at IS NULL);


--
-- Name: ix_alert_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_alert_family_id ON public.alert USING btree (family_id);


--
-- Name: ix_alert_raised_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_alert_raised_at ON public.alert USING btree (raised_at);


--
-- Name: ix_audio_upload_received_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audio_upload_received_at ON public.audio_upload USING btree (received_at);


--
-- Name: ix_audit_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_at ON public.audit USING btree (at);


--
-- Name: ix_audit_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_family_id ON public.audit USING btree (family_id);


--
-- Name: ix_blob_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_blob_child_id ON public.blob USING btree (child_id);


--
-- Name: ix_blob_export_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_blob_export_id ON public.blob USING btree (export_id);


--
-- Name: ix_break_glass_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_break_glass_family_id ON public.break_glass USING btree (family_id);


--
-- Name: ix_break_glass_site_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_break_glass_site_id ON public.break_glass USING btree (site_id);


--
-- Name: ix_child_agreement_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_child_agreement_family_id ON public.child_agreement USING btree (family_id);


--
-- Name: ix_child_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_child_family_id ON public.child USING btree (family_id);


--
-- Name: ix_clip_blob_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_clip_blob_id ON public.clip USING btree (blob_id);


--
-- Name: ix_clip_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_clip_child_id ON public.clip USING btree (child_id);


--
-- Name: ix_clip_chunk_received_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_clip_chunk_received_at ON public.clip_chunk USING btree (received_at);


--
-- Name: ix_consent_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_consent_family_id ON public.consent USING btree (family_id);


--
-- Name: ix_contact_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_contact_child_id ON public.contact USING btree (child_id);


--
-- Name: ix_contest_decision_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_contest_decision_family_id ON public.contest_decision USING btree (family_id);


--
-- Name: ix_contest_decision_site_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_contest_decision_site_id ON public.contest_decision USING btree (site_id);


--
-- Name: ix_contest_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_contest_family_id ON public.contest USING btree (family_id);


--
-- Name: ix_erasure_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_erasure_family_id ON public.erasure USING btree (family_id);


--
-- Name: ix_event_created_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_event_created_at ON public.event USING btree (created_at);


--
-- Name: ix_export_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_export_family_id ON public.export USING btree (family_id);


--
-- Name: ix_fact_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_fact_family_id ON public.fact USING btree (family_id);


--
-- Name: ix_fact_kind; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_fact_kind ON public.fact USING btree (kind);


--
-- Name: ix_fact_received_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_fact_received_at ON public.fact USING btree (received_at);


--
-- Name: ix_fact_watch_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_fact_watch_id ON public.fact USING btree (watch_id);


--
-- Name: ix_family_day_day; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_family_day_day ON public.family_day USING btree (day);


--
-- Name: ix_family_ending_told_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_family_ending_told_at ON public.family_ending USING btree (told_at);


--
-- Name: ix_guardian_device_guardian_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_guardian_device_guardian_id ON public.guardian_device USING btree (guardian_id);


--
-- Name: ix_hand_out_site_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_hand_out_site_id ON public.hand_out USING btree (site_id);


--
-- Name: ix_help_request_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_help_request_family_id ON public.help_request USING btree (family_id);


--
-- Name: ix_invitation_phone; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_invitation_phone ON public.invitation USING btree (phone);


--
-- Name: ix_latest_checkin_happened_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_latest_checkin_happened_at ON public.latest_checkin USING btree (happened_at);


--
-- Name: ix_limit_bucket_full_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_limit_bucket_full_at ON public.limit_bucket USING btree (full_at);


--
-- Name: ix_log_in_slip_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_log_in_slip_family_id ON public.log_in_slip USING btree (family_id);


--
-- Name: ix_login_challenge_created_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_login_challenge_created_at ON public.login_challenge USING btree (created_at);


--
-- Name: ix_login_challenge_phone; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_login_challenge_phone ON public.login_challenge USING btree (phone);


--
-- Name: ix_membership_guardian_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_membership_guardian_id ON public.membership USING btree (guardian_id);


--
-- Name: ix_message_clip_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_message_clip_id ON public.message USING btree (clip_id);


--
-- Name: ix_message_ref; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_message_ref ON public.message USING btree (ref);


--
-- Name: ix_nudge_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_nudge_child_id ON public.nudge USING btree (child_id);


--
-- Name: ix_open_stream_guardian_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_open_stream_guardian_id ON public.open_stream USING btree (guardian_id);


--
-- Name: ix_open_stream_opened_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_open_stream_opened_at ON public.open_stream USING btree (opened_at);


--
-- Name: ix_open_stream_session_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_open_stream_session_id ON public.open_stream USING btree (session_id);


--
-- Name: ix_pairing_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_pairing_child_id ON public.pairing USING btree (child_id);


--
-- Name: ix_pairing_watch_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_pairing_watch_id ON public.pairing USING btree (watch_id);


--
-- Name: ix_phone_upload_expires_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_phone_upload_expires_at ON public.phone_upload USING btree (expires_at);


--
-- Name: ix_push_endpoint_session_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_push_endpoint_session_id ON public.push_endpoint USING btree (session_id);


--
-- Name: ix_recovery_site_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_recovery_site_id ON public.recovery USING btree (site_id);


--
-- Name: ix_refresh_token_session_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_refresh_token_session_id ON public.refresh_token USING btree (session_id);


--
-- Name: ix_rendition_blob_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_rendition_blob_id ON public.rendition USING btree (blob_id);


--
-- Name: ix_safe_zone_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_safe_zone_child_id ON public.safe_zone USING btree (child_id);


--
-- Name: ix_session_device_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_session_device_id ON public.session USING btree (device_id);


--
-- Name: ix_session_guardian_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_session_guardian_id ON public.session USING btree (guardian_id);


--
-- Name: ix_sos_place_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_sos_place_child_id ON public.sos_place USING btree (child_id);


--
-- Name: ix_staff_recovery_code_staff_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_staff_recovery_code_staff_id ON public.staff_recovery_code USING btree (staff_id);


--
-- Name: ix_staff_refresh_token_staff_session_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_staff_refresh_token_staff_session_id ON public.staff_refresh_token USING btree (staff_session_id);


--
-- Name: ix_staff_request_asked_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_staff_request_asked_at ON public.staff_request USING btree (asked_at);


--
-- Name: ix_staff_request_staff_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_staff_request_staff_id ON public.staff_request USING btree (staff_id);


--
-- Name: ix_staff_scope_staff_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_staff_scope_staff_id ON public.staff_scope USING btree (staff_id);


--
-- Name: ix_staff_session_staff_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_staff_session_staff_id ON public.staff_session USING btree (staff_id);


--
-- Name: ix_survey_answer_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_survey_answer_family_id ON public.survey_answer USING btree (family_id);


--
-- Name: ix_uplink_received_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_uplink_received_at ON public.uplink USING btree (received_at);


--
-- Name: ix_usage_export_staff_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_usage_export_staff_id ON public.usage_export USING btree (staff_id);


--
-- Name: ix_usage_population_programme_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_usage_population_programme_id ON public.usage_population USING btree (programme_id);


--
-- Name: ix_usage_report_watch_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_usage_report_watch_id ON public.usage_report USING btree (watch_id);


--
-- Name: ix_watch_command_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_watch_command_family_id ON public.watch_command USING btree (family_id);


--
-- Name: ix_watch_day_watch_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_watch_day_watch_id ON public.watch_day USING btree (watch_id);


--
-- Name: ix_watch_given_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_watch_given_family_id ON public.watch_given USING btree (family_id);


--
-- Name: ix_watch_given_watch_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_watch_given_watch_id ON public.watch_given USING btree (watch_id);


--
-- Name: ix_watch_identity_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_watch_identity_family_id ON public.watch_identity USING btree (family_id);


--
-- Name: ix_watch_site_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_watch_site_id ON public.watch USING btree (site_id);


--
-- Name: ix_wipe_order_child_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_wipe_order_child_id ON public.wipe_order USING btree (child_id);


--
-- Name: ix_wipe_order_family_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_wipe_order_family_id ON public.wipe_order USING btree (family_id);


--
-- Name: ix_wipe_order_watch_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_wipe_order_watch_id ON public.wipe_order USING btree (watch_id);


--
-- Name: ix_zone_passage_happened_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_zone_passage_happened_at ON public.zone_passage USING btree (happened_at);


--
-- Name: ix_zone_passage_zone_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_zone_passage_zone_id ON public.zone_passage USING btree (zone_id);


--
-- Name: membership_primary; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX membership_primary ON public.membership USING btree (family_id) WHERE ((removed_at IS NULL) AND is_primary);


--
-- Name: membership_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX membership_standing ON public.membership USING btree (family_id, guardian_id) WHERE (removed_at IS NULL);


--
-- Name: message_client_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX message_client_key ON public.message USING btree (guardian_id, client_key) WHERE (client_key IS NOT NULL);


--
-- Name: message_of_watch; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX message_of_watch ON public.message USING btree (username, ref) WHERE (username IS NOT NULL);


--
-- Name: message_voice; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX message_voice ON public.message USING btree (received_at) WHERE ((kind)::text = 'voice'::text);


--
-- Name: notice_of_cohort; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notice_of_cohort ON public.notice USING btree (cohort_id, created_at);


--
-- Name: notice_of_family; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notice_of_family ON public.notice USING btree (family_id, created_at);


--
-- Name: nudge_to_judge; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX nudge_to_judge ON public.nudge USING btree (nudged_at) WHERE (judged_at IS NULL);


--
-- Name: outbox_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_due ON public.outbox USING btree (kind, priority, available_at);


--
-- Name: pairing_attempt_recent; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pairing_attempt_recent ON public.pairing_attempt USING btree (guardian_id, at);


--
-- Name: pairing_code_live; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX pairing_code_live ON public.pairing_code USING btree (code_hash) WHERE (ended_at IS NULL);


--
-- Name: pairing_code_of_watch; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pairing_code_of_watch ON public.pairing_code USING btree (watch_id, created_at);


--
-- Name: recipient_once; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX recipient_once ON public.message_recipient USING btree (message_id, guardian_id) NULLS NOT DISTINCT;


--
-- Name: recipient_undelivered; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX recipient_undelivered ON public.message_recipient USING btree (state) WHERE ((state)::text = ANY ((ARRAY['queued'::character varying, 'stored'::character varying])::text[]));


--
-- Name: recovery_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX recovery_due ON public.recovery USING btree (due_at) WHERE ((state)::text = 'waiting'::text);


--
-- Name: recovery_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX recovery_standing ON public.recovery USING btree (family_id) WHERE ((state)::text = ANY ((ARRAY['asked'::character varying, 'waiting'::character varying])::text[]));


--
-- Name: staff_request_standing; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX staff_request_standing ON public.staff_request USING btree (email) WHERE ((state)::text = 'asked'::text);


--
-- Name: uplink_fingerprint; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX uplink_fingerprint ON public.uplink USING btree (received_at) WHERE ((fingerprint)::text <> ''::text);


--
-- Name: usage_cell_indicator; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX usage_cell_indicator ON public.usage_cell USING btree (programme_id, audience, indicator, week, scope_id);


--
-- Name: usage_cell_week; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX usage_cell_week ON public.usage_cell USING btree (programme_id, audience, week, scope_id, indicator);


--
-- Name: usage_export_running; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX usage_export_running ON public.usage_export USING btree (staff_id) WHERE ((state)::text = ANY ((ARRAY['waiting'::character varying, 'running'::character varying])::text[]));


--
-- Name: usage_report_of_family; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX usage_report_of_family ON public.usage_report USING btree (family_id, started_at);


--
-- Name: zone_passage_of_child; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX zone_passage_of_child ON public.zone_passage USING btree (child_id, happened_at);


--
-- Name: checkin_2026_10_child_id_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_of_child ATTACH PARTITION checkin_months.checkin_2026_10_child_id_happened_at_idx;


--
-- Name: checkin_2026_10_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_by_time ATTACH PARTITION checkin_months.checkin_2026_10_happened_at_idx;


--
-- Name: checkin_2026_10_pkey; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.pk_checkin ATTACH PARTITION checkin_months.checkin_2026_10_pkey;


--
-- Name: checkin_2026_11_child_id_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_of_child ATTACH PARTITION checkin_months.checkin_2026_11_child_id_happened_at_idx;


--
-- Name: checkin_2026_11_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_by_time ATTACH PARTITION checkin_months.checkin_2026_11_happened_at_idx;


--
-- Name: checkin_2026_11_pkey; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.pk_checkin ATTACH PARTITION checkin_months.checkin_2026_11_pkey;


--
-- Name: checkin_2026_12_child_id_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_of_child ATTACH PARTITION checkin_months.checkin_2026_12_child_id_happened_at_idx;


--
-- Name: checkin_2026_12_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_by_time ATTACH PARTITION checkin_months.checkin_2026_12_happened_at_idx;


--
-- Name: checkin_2026_12_pkey; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.pk_checkin ATTACH PARTITION checkin_months.checkin_2026_12_pkey;


--
-- Name: checkin_2027_01_child_id_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_of_child ATTACH PARTITION checkin_months.checkin_2027_01_child_id_happened_at_idx;


--
-- Name: checkin_2027_01_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_by_time ATTACH PARTITION checkin_months.checkin_2027_01_happened_at_idx;


--
-- Name: checkin_2027_01_pkey; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.pk_checkin ATTACH PARTITION checkin_months.checkin_2027_01_pkey;


--
-- Name: checkin_default_child_id_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_of_child ATTACH PARTITION checkin_months.checkin_default_child_id_happened_at_idx;


--
-- Name: checkin_default_happened_at_idx; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.checkin_by_time ATTACH PARTITION checkin_months.checkin_default_happened_at_idx;


--
-- Name: checkin_default_pkey; Type: INDEX ATTACH; Schema: checkin_months; Owner: -
--

ALTER INDEX public.pk_checkin ATTACH PARTITION checkin_months.checkin_default_pkey;


--
-- Name: audit only_grows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: erasure_ledger only_grows; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.erasure_ledger FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();


--
-- Name: alert fk_alert_acknowledged_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_acknowledged_by FOREIGN KEY (acknowledged_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: alert fk_alert_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: alert fk_alert_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: alert fk_alert_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE SET NULL;


--
-- Name: alert fk_alert_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT fk_alert_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE SET NULL;


--
-- Name: audio_upload_total fk_audio_upload_total_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audio_upload_total
    ADD CONSTRAINT fk_audio_upload_total_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: audio_upload fk_audio_upload_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audio_upload
    ADD CONSTRAINT fk_audio_upload_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: blob fk_blob_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT fk_blob_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE SET NULL;


--
-- Name: blob fk_blob_export_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.blob
    ADD CONSTRAINT fk_blob_export_id FOREIGN KEY (export_id) REFERENCES public.export(export_id) ON DELETE SET NULL;


--
-- Name: break_glass fk_break_glass_approved_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);


--
-- Name: break_glass fk_break_glass_asked_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);


--
-- Name: break_glass fk_break_glass_delay_approved_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_delay_approved_by FOREIGN KEY (delay_approved_by) REFERENCES public.staff(staff_id);


--
-- Name: break_glass fk_break_glass_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: break_glass fk_break_glass_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.break_glass
    ADD CONSTRAINT fk_break_glass_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: checkin fk_checkin_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE public.checkin
    ADD CONSTRAINT fk_checkin_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: child_agreement fk_child_agreement_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT fk_child_agreement_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: child_agreement fk_child_agreement_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT fk_child_agreement_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: child_agreement fk_child_agreement_recorded_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.child_agreement
    ADD CONSTRAINT fk_child_agreement_recorded_by FOREIGN KEY (recorded_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: child fk_child_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.child
    ADD CONSTRAINT fk_child_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: clip fk_clip_blob_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clip
    ADD CONSTRAINT fk_clip_blob_id FOREIGN KEY (blob_id) REFERENCES public.blob(blob_id) ON DELETE SET NULL;


--
-- Name: clip fk_clip_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clip
    ADD CONSTRAINT fk_clip_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: clip_chunk fk_clip_chunk_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clip_chunk
    ADD CONSTRAINT fk_clip_chunk_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: cohort fk_cohort_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT fk_cohort_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: consent fk_consent_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT fk_consent_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: consent fk_consent_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT fk_consent_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: contact fk_contact_approved_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_approved_by FOREIGN KEY (approved_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: contact fk_contact_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: contact fk_contact_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: contact_list fk_contact_list_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_list
    ADD CONSTRAINT fk_contact_list_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: contact fk_contact_proposed_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT fk_contact_proposed_by FOREIGN KEY (proposed_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: contest fk_contest_about_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT fk_contest_about_id FOREIGN KEY (about_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: contest_decision fk_contest_decision_approved_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);


--
-- Name: contest_decision fk_contest_decision_asked_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);


--
-- Name: contest_decision fk_contest_decision_contest_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_contest_id FOREIGN KEY (contest_id) REFERENCES public.contest(contest_id) ON DELETE CASCADE;


--
-- Name: contest_decision fk_contest_decision_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: contest_decision fk_contest_decision_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest_decision
    ADD CONSTRAINT fk_contest_decision_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: contest fk_contest_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT fk_contest_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: contest fk_contest_raised_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contest
    ADD CONSTRAINT fk_contest_raised_by FOREIGN KEY (raised_by) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: enrolment fk_enrolment_cohort_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT fk_enrolment_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;


--
-- Name: enrolment fk_enrolment_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT fk_enrolment_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: enrolment fk_enrolment_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT fk_enrolment_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: event fk_event_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: event fk_event_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: event fk_event_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: export fk_export_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export
    ADD CONSTRAINT fk_export_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: export fk_export_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export
    ADD CONSTRAINT fk_export_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: fact fk_fact_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fk_fact_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: fact fk_fact_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fk_fact_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: fact fk_fact_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.fact
    ADD CONSTRAINT fk_fact_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: family_day fk_family_day_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.family_day
    ADD CONSTRAINT fk_family_day_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: family_ending fk_family_ending_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.family_ending
    ADD CONSTRAINT fk_family_ending_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: guardian_device fk_guardian_device_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.guardian_device
    ADD CONSTRAINT fk_guardian_device_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: hand_out fk_hand_out_opened_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT fk_hand_out_opened_by FOREIGN KEY (opened_by) REFERENCES public.staff(staff_id);


--
-- Name: hand_out fk_hand_out_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.hand_out
    ADD CONSTRAINT fk_hand_out_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: help_request fk_help_request_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.help_request
    ADD CONSTRAINT fk_help_request_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: help_request fk_help_request_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.help_request
    ADD CONSTRAINT fk_help_request_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: inbox_item fk_inbox_item_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT fk_inbox_item_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: inbox_item fk_inbox_item_message_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_item
    ADD CONSTRAINT fk_inbox_item_message_id FOREIGN KEY (message_id) REFERENCES public.message(message_id) ON DELETE CASCADE;


--
-- Name: invitation fk_invitation_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT fk_invitation_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: invitation fk_invitation_invited_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT fk_invitation_invited_by FOREIGN KEY (invited_by) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: kept_message fk_kept_message_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.kept_message
    ADD CONSTRAINT fk_kept_message_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: kept_message fk_kept_message_message_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.kept_message
    ADD CONSTRAINT fk_kept_message_message_id FOREIGN KEY (message_id) REFERENCES public.message(message_id) ON DELETE CASCADE;


--
-- Name: latest_checkin fk_latest_checkin_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.latest_checkin
    ADD CONSTRAINT fk_latest_checkin_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: log_in_slip fk_log_in_slip_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT fk_log_in_slip_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: log_in_slip fk_log_in_slip_hand_out_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_in_slip
    ADD CONSTRAINT fk_log_in_slip_hand_out_id FOREIGN KEY (hand_out_id) REFERENCES public.hand_out(hand_out_id) ON DELETE CASCADE;


--
-- Name: low_battery fk_low_battery_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.low_battery
    ADD CONSTRAINT fk_low_battery_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: membership fk_membership_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT fk_membership_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: membership fk_membership_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT fk_membership_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: message fk_message_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: message fk_message_clip_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_clip_id FOREIGN KEY (clip_id) REFERENCES public.clip(clip_id) ON DELETE CASCADE;


--
-- Name: message fk_message_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: message_recipient fk_message_recipient_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT fk_message_recipient_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: message_recipient fk_message_recipient_message_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT fk_message_recipient_message_id FOREIGN KEY (message_id) REFERENCES public.message(message_id) ON DELETE CASCADE;


--
-- Name: message fk_message_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE SET NULL;


--
-- Name: notice fk_notice_cohort_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT fk_notice_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;


--
-- Name: notice fk_notice_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT fk_notice_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: nudge fk_nudge_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT fk_nudge_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: nudge fk_nudge_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nudge
    ADD CONSTRAINT fk_nudge_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: nudge_wanted fk_nudge_wanted_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nudge_wanted
    ADD CONSTRAINT fk_nudge_wanted_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: open_stream fk_open_stream_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.open_stream
    ADD CONSTRAINT fk_open_stream_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: open_stream fk_open_stream_session_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.open_stream
    ADD CONSTRAINT fk_open_stream_session_id FOREIGN KEY (session_id) REFERENCES public.session(session_id) ON DELETE CASCADE;


--
-- Name: pairing_attempt fk_pairing_attempt_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing_attempt
    ADD CONSTRAINT fk_pairing_attempt_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: pairing fk_pairing_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: pairing_code fk_pairing_code_pairing_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing_code
    ADD CONSTRAINT fk_pairing_code_pairing_id FOREIGN KEY (pairing_id) REFERENCES public.pairing(pairing_id) ON DELETE SET NULL;


--
-- Name: pairing_code fk_pairing_code_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing_code
    ADD CONSTRAINT fk_pairing_code_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: pairing fk_pairing_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: pairing fk_pairing_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: pairing fk_pairing_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pairing
    ADD CONSTRAINT fk_pairing_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: phone_upload fk_phone_upload_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT fk_phone_upload_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: phone_upload fk_phone_upload_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.phone_upload
    ADD CONSTRAINT fk_phone_upload_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: phone_upload_part fk_phone_upload_part_upload_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.phone_upload_part
    ADD CONSTRAINT fk_phone_upload_part_upload_id FOREIGN KEY (upload_id) REFERENCES public.phone_upload(upload_id) ON DELETE CASCADE;


--
-- Name: push_endpoint fk_push_endpoint_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT fk_push_endpoint_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: push_endpoint fk_push_endpoint_session_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.push_endpoint
    ADD CONSTRAINT fk_push_endpoint_session_id FOREIGN KEY (session_id) REFERENCES public.session(session_id) ON DELETE CASCADE;


--
-- Name: quiet_since fk_quiet_since_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.quiet_since
    ADD CONSTRAINT fk_quiet_since_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: recovery fk_recovery_approved_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);


--
-- Name: recovery fk_recovery_asked_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);


--
-- Name: recovery fk_recovery_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: recovery fk_recovery_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: recovery fk_recovery_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery
    ADD CONSTRAINT fk_recovery_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: refresh_token fk_refresh_token_session_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT fk_refresh_token_session_id FOREIGN KEY (session_id) REFERENCES public.session(session_id) ON DELETE CASCADE;


--
-- Name: rendition fk_rendition_blob_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT fk_rendition_blob_id FOREIGN KEY (blob_id) REFERENCES public.blob(blob_id) ON DELETE SET NULL;


--
-- Name: rendition fk_rendition_clip_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rendition
    ADD CONSTRAINT fk_rendition_clip_id FOREIGN KEY (clip_id) REFERENCES public.clip(clip_id) ON DELETE CASCADE;


--
-- Name: safe_zone fk_safe_zone_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.safe_zone
    ADD CONSTRAINT fk_safe_zone_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: safe_zone fk_safe_zone_created_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.safe_zone
    ADD CONSTRAINT fk_safe_zone_created_by FOREIGN KEY (created_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: session fk_session_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT fk_session_device_id FOREIGN KEY (device_id) REFERENCES public.guardian_device(device_id) ON DELETE SET NULL;


--
-- Name: session fk_session_guardian_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT fk_session_guardian_id FOREIGN KEY (guardian_id) REFERENCES public.guardian(guardian_id) ON DELETE CASCADE;


--
-- Name: sim_month fk_sim_month_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sim_month
    ADD CONSTRAINT fk_sim_month_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: site fk_site_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.site
    ADD CONSTRAINT fk_site_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: sos_place fk_sos_place_alert_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sos_place
    ADD CONSTRAINT fk_sos_place_alert_id FOREIGN KEY (alert_id) REFERENCES public.alert(alert_id) ON DELETE CASCADE;


--
-- Name: sos_place fk_sos_place_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sos_place
    ADD CONSTRAINT fk_sos_place_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: staff_origin fk_staff_origin_by_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_origin
    ADD CONSTRAINT fk_staff_origin_by_staff_id FOREIGN KEY (by_staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: staff_origin fk_staff_origin_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_origin
    ADD CONSTRAINT fk_staff_origin_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: staff_recovery_code fk_staff_recovery_code_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_recovery_code
    ADD CONSTRAINT fk_staff_recovery_code_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: staff_refresh_token fk_staff_refresh_token_staff_session_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_refresh_token
    ADD CONSTRAINT fk_staff_refresh_token_staff_session_id FOREIGN KEY (staff_session_id) REFERENCES public.staff_session(staff_session_id) ON DELETE CASCADE;


--
-- Name: staff_request fk_staff_request_approved_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_approved_by FOREIGN KEY (approved_by) REFERENCES public.staff(staff_id);


--
-- Name: staff_request fk_staff_request_asked_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_asked_by FOREIGN KEY (asked_by) REFERENCES public.staff(staff_id);


--
-- Name: staff_request fk_staff_request_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: staff_request fk_staff_request_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: staff_request fk_staff_request_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_request
    ADD CONSTRAINT fk_staff_request_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: staff_scope fk_staff_scope_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT fk_staff_scope_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: staff_scope fk_staff_scope_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT fk_staff_scope_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: staff_scope fk_staff_scope_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_scope
    ADD CONSTRAINT fk_staff_scope_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: staff_session fk_staff_session_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT fk_staff_session_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: survey_answer fk_survey_answer_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT fk_survey_answer_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: survey_answer fk_survey_answer_survey_id_question; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_answer
    ADD CONSTRAINT fk_survey_answer_survey_id_question FOREIGN KEY (survey_id, question) REFERENCES public.survey_question(survey_id, question) ON DELETE CASCADE;


--
-- Name: survey fk_survey_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT fk_survey_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: survey_question fk_survey_question_survey_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_question
    ADD CONSTRAINT fk_survey_question_survey_id FOREIGN KEY (survey_id) REFERENCES public.survey(survey_id) ON DELETE CASCADE;


--
-- Name: survey_report fk_survey_report_survey_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.survey_report
    ADD CONSTRAINT fk_survey_report_survey_id FOREIGN KEY (survey_id) REFERENCES public.survey(survey_id) ON DELETE CASCADE;


--
-- Name: training_attended fk_training_attended_enrolment_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.training_attended
    ADD CONSTRAINT fk_training_attended_enrolment_id FOREIGN KEY (enrolment_id) REFERENCES public.enrolment(enrolment_id) ON DELETE CASCADE;


--
-- Name: uplink fk_uplink_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uplink
    ADD CONSTRAINT fk_uplink_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: usage_cell fk_usage_cell_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_cell
    ADD CONSTRAINT fk_usage_cell_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: usage_export_file fk_usage_export_file_usage_export_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_export_file
    ADD CONSTRAINT fk_usage_export_file_usage_export_id FOREIGN KEY (usage_export_id) REFERENCES public.usage_export(usage_export_id) ON DELETE CASCADE;


--
-- Name: usage_export fk_usage_export_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT fk_usage_export_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: usage_export fk_usage_export_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT fk_usage_export_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: usage_export fk_usage_export_staff_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_export
    ADD CONSTRAINT fk_usage_export_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(staff_id) ON DELETE CASCADE;


--
-- Name: usage_population fk_usage_population_cohort_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;


--
-- Name: usage_population fk_usage_population_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: usage_population fk_usage_population_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: usage_population fk_usage_population_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_population
    ADD CONSTRAINT fk_usage_population_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;


--
-- Name: usage_report fk_usage_report_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_report
    ADD CONSTRAINT fk_usage_report_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: usage_report fk_usage_report_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_report
    ADD CONSTRAINT fk_usage_report_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: usage_week fk_usage_week_programme_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_week
    ADD CONSTRAINT fk_usage_week_programme_id FOREIGN KEY (programme_id) REFERENCES public.programme(programme_id) ON DELETE CASCADE;


--
-- Name: watch_command fk_watch_command_asked_by; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_asked_by FOREIGN KEY (asked_by) REFERENCES public.guardian(guardian_id) ON DELETE SET NULL;


--
-- Name: watch_command fk_watch_command_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: watch_command fk_watch_command_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: watch_command fk_watch_command_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_command
    ADD CONSTRAINT fk_watch_command_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: watch_day fk_watch_day_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_day
    ADD CONSTRAINT fk_watch_day_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: watch_day fk_watch_day_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_day
    ADD CONSTRAINT fk_watch_day_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: watch_given fk_watch_given_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_given
    ADD CONSTRAINT fk_watch_given_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: watch_given fk_watch_given_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_given
    ADD CONSTRAINT fk_watch_given_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: watch fk_watch_handed_out_to; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT fk_watch_handed_out_to FOREIGN KEY (handed_out_to) REFERENCES public.family(family_id) ON DELETE SET NULL;


--
-- Name: watch_identity fk_watch_identity_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT fk_watch_identity_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: watch_identity fk_watch_identity_family_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT fk_watch_identity_family_id FOREIGN KEY (family_id) REFERENCES public.family(family_id) ON DELETE CASCADE;


--
-- Name: watch_identity fk_watch_identity_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_identity
    ADD CONSTRAINT fk_watch_identity_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: watch_presence fk_watch_presence_username; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_presence
    ADD CONSTRAINT fk_watch_presence_username FOREIGN KEY (username) REFERENCES public.watch_identity(username) ON DELETE CASCADE;


--
-- Name: watch_settings fk_watch_settings_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch_settings
    ADD CONSTRAINT fk_watch_settings_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: watch fk_watch_site_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.watch
    ADD CONSTRAINT fk_watch_site_id FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE RESTRICT;


--
-- Name: wipe_order fk_wipe_order_watch_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.wipe_order
    ADD CONSTRAINT fk_wipe_order_watch_id FOREIGN KEY (watch_id) REFERENCES public.watch(watch_id) ON DELETE CASCADE;


--
-- Name: zone_passage fk_zone_passage_child_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.zone_passage
    ADD CONSTRAINT fk_zone_passage_child_id FOREIGN KEY (child_id) REFERENCES public.child(child_id) ON DELETE CASCADE;


--
-- Name: zone_passage fk_zone_passage_zone_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.zone_passage
    ADD CONSTRAINT fk_zone_passage_zone_id FOREIGN KEY (zone_id) REFERENCES public.safe_zone(zone_id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


