// The types of the API. Made from its OpenAPI document by `make web`. Do not edit.

/** Acceptance of an invitation, with consent to messages. */
export interface AcceptInvitationRequest {
  part?: "messages";
  text_version: string;
  locale: string;
  notice_version?: string | null;
}

/** An access to a child's place or to a recording. */
export interface AccessLogEntry {
  seq: number;
  at: string;
  what: "place" | "asked_the_watch" | "recording";
  by: "guardian" | "staff" | "watch" | "operator" | "system";
  guardian_id: string | null;
  message_id: string | null;
}

/** A page of the access log, newest first. */
export interface AccessLogResponse {
  looks: Array<AccessLogEntry>;
  next_before: number | null;
}

/** The answer to an alert. */
export interface AcknowledgeRequest {
  answer?: "take_care" | "cannot_help";
  tapped_at?: string | null;
}

/** An answer of a guardian. */
export interface AlertAnswer {
  guardian_id: string | null;
  answer: "take_care" | "cannot_help";
  tapped_at: string;
  answered_at: string;
}

/** A text message about an alert, to a guardian or to a contact who lives with the child. */
export interface AlertCall {
  round_no: number;
  guardian_id: string | null;
  contact_id: string | null;
  called_at: string;
}

/** An alert of a child, without its place, which has a route and a right of its own. */
export interface AlertResponse {
  alert_id: string;
  child_id: string;
  kind: "sos" | "sos_cancelled" | "low_battery" | "taken_off" | "fall" | "tamper" | "factory_reset" | "zone_left" | "zone_entered" | "silent" | "unreadable";
  subject_id: string | null;
  happened_at: string | null;
  raised_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  state: "calling" | "seen" | "unanswered" | null;
  calling_round: number;
  next_calls_at: string | null;
  calls: Array<AlertCall>;
  answers: Array<AlertAnswer>;
  check_asked_at: string | null;
  all_right_at: string | null;
  all_right_by: string | null;
  emergency_number: string;
  watch_number: string | null;
}

/** A page of alerts, newest first. */
export interface AlertsResponse {
  alerts: Array<AlertResponse>;
  next_cursor: string | null;
}

/** One report of Aliyun; other fields are ignored, above all the number. */
export interface AliyunReport {
  out_id?: string | null;
  success: boolean;
}

/** Whether the child is all right; `false`: guardians are called again. */
export interface AllRightRequest {
  all_right: boolean;
}

/** The kind of problem; free text is excluded, so that no family data reaches the office by accident. */
export interface AskForHelpRequest {
  kind: "broken" | "lost" | "worried";
}

/** A short-lived link that plays one recording without a token, for players that send no headers. */
export interface AudioLinkResponse {
  url: string;
  expires_at: string;
}

/** An action or refusal in the audit log: ids only; the app knows the names of the guardians. */
export interface AuditEntry {
  seq: number;
  at: string;
  by: "guardian" | "staff" | "watch" | "operator" | "system" | "stranger";
  guardian_id: string | null;
  action: string;
  outcome: "done" | "refused";
  reason: string;
  subject_id: string;
  asked: string;
  times: number;
}

/** A page of the audit log, newest first. */
export interface AuditLogResponse {
  entries: Array<AuditEntry>;
  next_before: number | null;
}

/** End of the caller's shift; null: not on shift. */
export interface AvailabilityRequest {
  busy_until: string | null;
}

/** End of the caller's shift; null: not on shift. */
export interface AvailabilityResponse {
  busy_until: string | null;
}

/** Fields of a child to change; omitted fields stay unchanged. */
export interface ChangeChildRequest {
  name?: string | null;
  birth_year?: number | null;
  birth_date?: string | null;
}

/** Fields to change; omitted fields stay unchanged. */
export interface ChangeContactRequest {
  name?: string | null;
  relation?: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other" | null;
  number?: string | null;
  may_call?: boolean | null;
  emergency?: boolean | null;
}

/** Rights and relation to change; omitted fields stay unchanged. */
export interface ChangeGuardianRequest {
  may_message?: boolean | null;
  may_locate?: boolean | null;
  may_manage?: boolean | null;
  relation?: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other" | null;
}

/** Fields of the caller's account to change; omitted fields stay unchanged. */
export interface ChangeMeRequest {
  display_name?: string | null;
  locale?: string | null;
}

/** Fields to change; omitted fields stay unchanged. Location needs the caller's own consent to it. */
export interface ChangeWatchSettingsRequest {
  checkin_interval_s?: number | null;
  location?: boolean | null;
  quiet?: Array<QuietTime> | null;
  language?: string | null;
  volume_pct?: number | null;
}

/** Fields to change; omitted fields stay unchanged. */
export interface ChangeZoneRequest {
  name?: string | null;
  shape?: CircleShape | OutlineShape | null;
  hours?: Array<ZoneHours> | null;
}

/** A stored fix of any quality; `place` is null when the watch sent no valid coordinates. */
export interface Checkin {
  happened_at: string;
  received_at: string;
  place: Place | null;
  accuracy_m: number | null;
  source: string | null;
  quality: "good" | "poor" | "bad";
  reasons: Array<string>;
}

/** A page of a day's check-ins, in order of time. */
export interface CheckinsResponse {
  checkins: Array<Checkin>;
  next_cursor: string | null;
}

/** The child's own word, with the same proof as a guardian's consent. */
export interface ChildAgreementRequest {
  agreed?: boolean;
  text_version?: string | null;
  how?: "app" | "spoken" | "paper";
  witness?: string;
  form_number?: string;
}

/** The child's current word. */
export interface ChildAgreementResponse {
  agreement_id: string;
  child_id: string;
  agreed: boolean;
  text_version: string | null;
  how: "app" | "spoken" | "paper";
  witness: string | null;
  form_number: string | null;
  given_at: string;
}

/** A child and its watch. */
export interface ChildResponse {
  child_id: string;
  family_id: string;
  name: string;
  birth_year: number | null;
  birth_date: string | null;
  childs_consent_due: boolean;
  watch: WatchOfChild | null;
}

/** The children of a family. */
export interface ChildrenResponse {
  children: Array<ChildResponse>;
}

/** A circle with a radius of 50 m to 10 km. */
export interface CircleShape {
  kind: "circle";
  lat: number;
  lon: number;
  radius_m: number;
}

/** A command and its state; `delivered` and later states are reported by the watch. */
export interface CommandResponse {
  command_id: string;
  child_id: string;
  kind: "locate" | "ring" | "restart" | "lost" | "found";
  state: "waiting" | "sent" | "delivered" | "done" | "failed" | "expired";
  detail: string | null;
  asked_by: string | null;
  asked_at: string;
  expires_at: string;
  changed_at: string;
}

/** Commands to the child's watches, newest first. */
export interface CommandsResponse {
  commands: Array<CommandResponse>;
}

/** A consent; it is in force while `withdrawn_at` is null. */
export interface ConsentResponse {
  consent_id: string;
  part: "messages" | "location" | "measurement" | "sos_places";
  text_version: string;
  newer_version: string | null;
  notice_version: string | null;
  locale: string;
  how: "app" | "spoken" | "paper";
  witness: string | null;
  form_number: string | null;
  given_at: string;
  withdrawn_at: string | null;
}

/** A consent text. */
export interface ConsentText {
  part: "messages" | "location" | "measurement" | "sos_places";
  text_version: string;
  locale: string;
  text: string;
}

/** The text of each part in one language, and the text for children. */
export interface ConsentTextsResponse {
  texts: Array<ConsentText>;
  for_children: TextForChildren;
}

/** The caller's consents in this family, including withdrawn ones. */
export interface ConsentsResponse {
  consents: Array<ConsentResponse>;
}

/** The contact list; `acked_version` is the version that the watch has acknowledged (0: none, or no watch). */
export interface ContactListResponse {
  version: number;
  acked_version: number;
  contacts: Array<ContactResponse>;
}

/** Ids of all contacts, each once, in the new order. */
export interface ContactOrderRequest {
  contact_ids: Array<string>;
}

/** A person who can reach the child, or whom the child can call. */
export interface ContactResponse {
  contact_id: string;
  wire_id: string;
  kind: "guardian" | "phone";
  guardian_id: string | null;
  name: string;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  number: string | null;
  may_message: boolean;
  may_call: boolean;
  position: number;
  emergency: boolean;
  state: "proposed" | "approved";
  lives_with_child: boolean;
}

/** A contested right. */
export interface ContestResponse {
  contest_id: string;
  raised_by: string;
  about_id: string;
  right: "message" | "locate" | "manage";
  state: "open" | "withdrawn" | "upheld" | "dismissed";
  raised_at: string;
  ended_at: string | null;
}

/** The family's contests, open and ended, newest first. */
export interface ContestsResponse {
  contests: Array<ContestResponse>;
}

/** A corner of a shape. */
export interface Corner {
  lat: number;
  lon: number;
}

/** A local day of the child; it has 23 or 25 hours when clocks change. */
export interface DayResponse {
  child_id: string;
  day: string;
  timezone: string;
  starts_at: string;
  ends_at: string;
  qualities: Qualities;
  stays: Array<Stay>;
  passages: Array<Passage>;
  track: Array<Place>;
}

/** An emoji for the child, given by its word. */
export interface EmojiMessageRequest {
  kind: "emoji";
  emoji: "angry" | "ball" | "book" | "cake" | "cat" | "clap" | "dog" | "flower" | "gift" | "heart" | "home" | "hug" | "kiss" | "laugh" | "moon" | "ok" | "rainbow" | "rice" | "sad" | "school" | "sick" | "sleepy" | "smile" | "star" | "sun" | "surprised" | "thumbs_up" | "wave";
  made_at?: string | null;
}

/** Recordings of the caller that are deleted within ten days, because nobody keeps them. */
export interface EndingRecordingsResponse {
  count: number;
  first_ends_at: string | null;
}

/** An erasure. Its data is unreadable from the time of the response. */
export interface ErasureResponse {
  erasure_id: string;
  what: "child" | "family";
  subject_id: string;
  asked_at: string;
  rows_gone_at: string | null;
  watch_copy: "none" | "not_confirmed" | "confirmed";
}

/** The family's erasures, newest first. */
export interface ErasuresResponse {
  erasures: Array<ErasureResponse>;
}

/** An event; read the object itself by `ref_id`. */
export interface Event {
  family_id: string;
  seq: number;
  kind: string;
  child_id: string | null;
  ref_id: string | null;
  detail: Record<string, string | number | boolean>;
  created_at: string;
}

/** Events after a cursor, and the cursor after them. */
export interface EventsResponse {
  events: Array<Event>;
  cursor: string;
  more: boolean;
  reset: Array<string>;
}

/** A link that opens the file without headers while the caller's session is valid. */
export interface ExportLinkResponse {
  url: string;
  expires_at: string;
}

/** A copy of the caller's data. */
export interface ExportResponse {
  export_id: string;
  state: "waiting" | "running" | "ready" | "expired" | "failed";
  percent: number;
  size_bytes: number;
  asked_at: string;
  expires_at: string | null;
  watch_copy: "none" | "not_confirmed" | "confirmed";
}

/** The caller's own exports, newest first. */
export interface ExportsResponse {
  exports: Array<ExportResponse>;
  places_with: Array<string>;
  places_offered: boolean;
}

/** Recoveries, newest first. */
export interface FamilyRecoveriesResponse {
  recoveries: Array<FamilyRecoveryResponse>;
}

/** A recovery approved by two staff members, as shown to the family's guardians. */
export interface FamilyRecoveryResponse {
  recovery_id: string;
  kind: string;
  guardian_id: string;
  state: string;
  due_at: string | null;
  ended_at: string | null;
}

/** Consent to the current text of a part. */
export interface GiveConsentRequest {
  part: "messages" | "location" | "measurement" | "sos_places";
  text_version: string;
  locale: string;
  how?: "app" | "spoken" | "paper";
  witness?: string;
  form_number?: string;
  notice_version?: string | null;
}

/** Channels over which one guardian can be reached. */
export interface GuardianReach {
  guardian_id: string;
  live_session: boolean;
  push: boolean;
  phone_confirmed: boolean;
  reachable: boolean;
}

/** A guardian of the family. */
export interface GuardianResponse {
  may_message: boolean;
  may_locate: boolean;
  may_manage: boolean;
  guardian_id: string;
  display_name: string;
  phone: string | null;
  number_hidden: boolean;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  is_primary: boolean;
  joined_at: string;
}

/** The guardians of the family. */
export interface GuardiansResponse {
  guardians: Array<GuardianResponse>;
  lives_with_child: Array<LivesWithChild>;
}

/** The request for help, first advice, and a helpline to call. */
export interface HelpResponse {
  help_id: string;
  kind: "broken" | "lost" | "worried";
  asked_at: string;
  text: string;
  helpline: Helpline;
}

/** A public helpline for children. */
export interface Helpline {
  number: string;
  name: string;
}

/** Whether the caller's own number is hidden from the watches and from other guardians. */
export interface HideNumberRequest {
  hidden: boolean;
}

/** A child with what its card shows; no place, which has a route of its own that is logged. */
export interface HomeChild {
  may_message: boolean;
  may_locate: boolean;
  may_manage: boolean;
  child: ChildResponse;
  location_on: boolean;
  watch_number: string | null;
  last_message: MessageResponse | null;
  unread: number;
  unplayed: number;
  ending_recordings: EndingRecordingsResponse | null;
  alerts: Array<AlertResponse>;
  checks: Array<AlertResponse>;
  help: Array<services__api__family__schemas__programme__OpenHelp>;
}

/** A family of the caller, with what its country and site decide. */
export interface HomeFamily {
  family_id: string;
  country: string | null;
  timezone: string | null;
  helpline: Helpline;
  emergency_number: string;
  map: "amap" | "geo";
  programme_end: ProgrammeEndResponse;
}

/** Everything that the first screen shows, in one answer. */
export interface HomeResponse {
  me: MeResponse;
  families: Array<HomeFamily>;
  children: Array<HomeChild>;
  waiting_log_ins: Array<WaitingLogIn>;
  notice: Notice | null;
  busy_until: string | null;
  pin_is_set: boolean;
  cursor: string;
}

/** An invitation that can still be accepted. */
export interface InvitationResponse {
  may_message: boolean;
  may_locate: boolean;
  may_manage: boolean;
  invitation_id: string;
  phone: string;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  display_name: string;
  expires_at: string;
}

/** Invitations that can still be accepted. */
export interface InvitationsResponse {
  invitations: Array<InvitationResponse>;
}

/** Whether the caller keeps a voice message beyond its retention. */
export interface KeepVoiceRequest {
  kept: boolean;
}

/** How many recordings this request kept. */
export interface KeptRecordingsResponse {
  kept: number;
}

/** The latest good fix of the child. */
export interface LatestFix {
  place: Place;
  accuracy_m: number;
  source: string | null;
  happened_at: string;
  received_at: string;
  age_s: number;
  zone: ZoneName | null;
}

/** The latest place of a child; `seen` is null when no good fix of the last 30 days is stored. */
export interface LatestPlaceResponse {
  child_id: string;
  location_on: boolean;
  seen: LatestFix | null;
}

/** One entry for each child that the caller may locate. */
export interface LatestPlacesResponse {
  children: Array<LatestPlaceResponse>;
}

/** A phone contact who lives with a child of the family: reachable by text message only. */
export interface LivesWithChild {
  contact_id: string;
  child_id: string;
  name: string;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  reachable_by?: "text";
}

/** The agreement of a contact who lives with the child, with the proof of a spoken or written consent. */
export interface LivesWithChildRequest {
  agreed: true;
  how?: "spoken" | "paper";
  witness: string;
  form_number?: string;
}

/** The code received by SMS, with its challenge. */
export interface LogInRequest {
  challenge_id: string;
  challenge_secret: string;
  phone: string;
  code: string;
  country?: string | null;
  locale?: string | null;
  device_token?: string | null;
  label?: string;
  keep?: "json" | "cookie";
}

/** Request for a one-time code. */
export interface LoginCodeRequest {
  phone: string;
  country?: string | null;
  locale?: string | null;
  device_token?: string | null;
  hand_out_code?: string | null;
}

/** The same for every phone. */
export interface LoginCodeResponse {
  challenge_id: string;
  challenge_secret: string;
  expires_in_s: number;
  resend_after_s: number;
}

/** The caller's account. */
export interface MeResponse {
  guardian_id: string;
  phone: string;
  display_name: string;
  locale: string;
  families: Array<MyFamily>;
  invitations: Array<MyInvitation>;
}

/** A message as seen by the caller. */
export interface MessageResponse {
  message_id: string;
  child_id: string;
  seq: number;
  direction: "to_child" | "to_family";
  kind: "text" | "emoji" | "voice";
  text?: string | null;
  emoji?: string | null;
  voice?: Voice | null;
  from: Sender;
  sent_at: string | null;
  received_at: string;
  expires_at: string;
  recipients: Array<services__api__family__schemas__messages__Recipient>;
  my_state?: "queued" | "stored" | "delivered" | "played" | "expired" | "rejected" | null;
}

/** State of the child's message on the caller's phone. */
export interface MessageStateRequest {
  state: "delivered" | "played";
}

/** A page of messages, newest first; `next_cursor` is null at the start of the conversation. */
export interface MessagesResponse {
  messages: Array<MessageResponse>;
  next_cursor: string | null;
}

/** A family of the caller. */
export interface MyFamily {
  may_message: boolean;
  may_locate: boolean;
  may_manage: boolean;
  family_id: string;
  family_code: string;
  is_primary: boolean;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  consents: Array<ConsentResponse>;
}

/** An invitation that the caller can accept. */
export interface MyInvitation {
  may_message: boolean;
  may_locate: boolean;
  may_manage: boolean;
  invitation_id: string;
  family_code: string;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  expires_at: string;
}

/** A device on which the caller is logged in. */
export interface MySession {
  session_id: string;
  label: string;
  created_at: string;
  last_used_at: string;
  limited: boolean;
  current: boolean;
}

/** All open sessions, newest first. */
export interface MySessionsResponse {
  sessions: Array<MySession>;
}

/** A child to add. */
export interface NewChildRequest {
  name: string;
  birth_year?: number | null;
  birth_date?: string | null;
}

/** A command. No command makes the watch listen, start a call or use a camera. */
export interface NewCommandRequest {
  kind: "locate" | "ring" | "restart" | "lost" | "found";
}

/** A phone contact to add. */
export interface NewContactRequest {
  name: string;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  number: string;
  may_call?: boolean;
  emergency?: boolean;
}

/** The contested right, and the guardian who has it. */
export interface NewContestRequest {
  guardian_id: string;
  right: "message" | "locate" | "manage";
}

/** An invitation to send; the right to locate is off by default. */
export interface NewInvitationRequest {
  phone: string;
  country?: string | null;
  relation: "mother" | "father" | "grandmother" | "grandfather" | "sister" | "brother" | "aunt" | "uncle" | "teacher" | "neighbour" | "friend" | "other";
  display_name?: string;
  may_message?: boolean;
  may_locate?: boolean;
  may_manage?: boolean;
}

/** The number to which a code is sent. */
export interface NewNumberRequest {
  phone: string;
  country?: string | null;
}

/** Whether new phones are kept from logging in with the caller's number. */
export interface NewPhonesBlock {
  blocked_until_at: string | null;
}

/** A new PIN of the guardian. */
export interface NewPinRequest {
  pin: string;
}

/** Size and hash of a recording to upload in parts. */
export interface NewUploadRequest {
  bytes: number;
  sha256: string;
}

/** A browser's subscription: the fields of `PushSubscription.toJSON()`. */
export interface NewWebPushRequest {
  kind: "web_push";
  address: string;
  p256dh: string;
  auth: string;
}

/** A webhook of a program. */
export interface NewWebhookRequest {
  kind: "webhook";
  address: string;
}

/** A zone to create; without hours it alerts at all times. */
export interface NewZoneRequest {
  name: string;
  shape: CircleShape | OutlineShape;
  hours?: Array<ZoneHours>;
}

/** The question that is put off. */
export interface NotNowRequest {
  subject: "messages" | "location" | "childs_word" | "sos_places" | "measurement";
  child_id?: string | null;
}

/** A notice of the programme office; the text of `get_in_touch` is empty. */
export interface Notice {
  notice_id: string;
  family_id: string;
  kind: "news" | "get_in_touch";
  text: string;
  created_at: string;
}

/** Notices, newest first. */
export interface NoticesResponse {
  notices: Array<Notice>;
}

/** A change of a guardian's number; until `due_at` the account keeps the old one. */
export interface NumberChange {
  change_id: string;
  guardian_id: string;
  state: "waiting" | "done" | "contested" | "withdrawn" | "failed";
  asked_at: string;
  due_at: string;
}

/** The code that came to the new number, with its challenge. */
export interface NumberChangeRequest {
  phone: string;
  country?: string | null;
  challenge_id: string;
  challenge_secret: string;
  code: string;
}

/** Changes that wait, oldest first. */
export interface NumberChangesResponse {
  changes: Array<NumberChange>;
}

/** The open requests for help of a child, oldest first, and a helpline to call. */
export interface OpenHelpResponse {
  open: Array<services__api__family__schemas__programme__OpenHelp>;
  helpline: Helpline;
}

/** An area with 3 to 50 corners; the line closes implicitly and must not cross itself. */
export interface OutlineShape {
  kind: "outline";
  corners: Array<Corner>;
}

/** The pairing code shown by the watch. */
export interface PairRequest {
  code: string;
}

/** A watch paired with a child. */
export interface PairingResponse {
  pairing_id: string;
  watch_serial: string;
  state: "issued" | "confirmed";
  issued_at: string;
  confirmed_at: string | null;
}

/** The child entered or left a safe zone. */
export interface Passage {
  happened_at: string;
  kind: "entered" | "left";
  zone: ZoneName;
  alarmed: boolean;
}

/** Whether a PIN is set; the PIN itself is never returned. */
export interface PinStateResponse {
  is_set: boolean;
}

/** A position on the earth. */
export interface Place {
  lat: number;
  lon: number;
  altitude_m?: number | null;
}

/** The privacy notice of the family's site: read before the first consent, not agreed to. */
export interface PrivacyNoticeResponse {
  notice_version: string;
  locale: string;
  text: string;
  is_fictional: boolean;
}

/** The end of the programme for this family; all fields are null until it is announced. */
export interface ProgrammeEndResponse {
  ends_on: string | null;
  told_at: string | null;
  erased_from: string | null;
}

/** A conversation prompt: a question that a parent could ask. */
export interface Prompt {
  starter: string;
  ages: string;
  text: string;
}

/** The prompts of this week, in the guardian's language. */
export interface PromptsResponse {
  week_starts_on: string;
  starters: Array<Prompt>;
}

/** A push endpoint. It ends with the session that registered it; its address is never returned. */
export interface PushEndpointResponse {
  endpoint_id: string;
  kind: "web_push" | "webhook";
  created_at: string;
  taken_at: string | null;
  failing_since_at: string | null;
}

/** The caller's push endpoints. */
export interface PushEndpointsResponse {
  endpoints: Array<PushEndpointResponse>;
}

/** The `applicationServerKey` for a browser's subscription. */
export interface PushKeyResponse {
  public_key: string;
}

/** A trial notification was queued; whether the phone wakes is for its holder to see. */
export interface PushTrialResponse {
  endpoint_id: string;
  asked_at: string;
}

/** Number of the day's check-ins by quality; `late`: those that arrived after a newer one. */
export interface Qualities {
  good: number;
  poor: number;
  bad: number;
  late: number;
}

/** The one question to ask now, with its text. "Not now" is shown as prominently as "agree". */
export interface Question {
  subject: "messages" | "location" | "childs_word" | "sos_places" | "measurement";
  child_id: string | null;
  is_newer: boolean;
  text_version: string;
  locale: string;
  text: string;
  notice: PrivacyNoticeResponse | null;
}

/** The caller's question of today; null: none until tomorrow at the earliest. */
export interface QuestionResponse {
  question: Question | null;
}

/** Messages arrive silently in this time; an SOS does not. Days: 1 is Monday; `ends` before `starts`: next day. */
export interface QuietTime {
  days: Array<number>;
  starts: string;
  ends: string;
}

/** The report was read. Aliyun checks for a number in ``code``. */
export interface Received {
  code?: number;
  msg?: string;
}

/** The newest refresh token of a session; with `keep: cookie` it is in the cookie and omitted here. */
export interface RefreshRequest {
  refresh_token?: string | null;
  keep?: "json" | "cookie";
}

/** A new endpoint; `secret` verifies the signature of a webhook's notifications and is returned only here. */
export interface RegisteredPushEndpointResponse {
  endpoint_id: string;
  kind: "web_push" | "webhook";
  created_at: string;
  taken_at: string | null;
  failing_since_at: string | null;
  secret: string | null;
}

/** Whether the guardian wants reminders after a day without messages. */
export interface ReminderRequest {
  wanted: boolean;
}

/** The current setting. */
export interface ReminderResponse {
  wanted: boolean;
}

/** Second factor besides access to the phone's text messages: exactly one of the two fields. */
export interface SecondStepRequest {
  pin?: string | null;
  watch_code?: string | null;
}

/** Whether the session still needs its second step. */
export interface SecondStepResponse {
  needed: boolean;
}

/** Sender of a message. */
export interface Sender {
  kind: "guardian" | "child";
  guardian_id?: string | null;
  name: string;
}

/** A printed slip, and the phone number with which the family enrolled. */
export interface SlipLogInRequest {
  slip_code: string;
  phone: string;
  country?: string | null;
  locale?: string | null;
  device_token?: string | null;
  label?: string;
  keep?: "json" | "cookie";
}

/** Position of the watch at the SOS. */
export interface SosFix {
  place: Place;
  accuracy_m: number | null;
  source: string | null;
  happened_at: string | null;
  received_at: string;
}

/** Place of an SOS; `seen` is null when the watch sent none, or no guardian had consented. */
export interface SosPlaceResponse {
  alert_id: string;
  seen: SosFix | null;
}

/** A place, and the first and last time the child was there. */
export interface Stay {
  from_at: string;
  until_at: string;
  place: Place;
  zone: ZoneName | null;
  fixes: number;
}

/** The PIN; or, where none is set, a fresh code with its challenge. */
export interface StepUpRequest {
  pin?: string | null;
  challenge_id?: string | null;
  challenge_secret?: string | null;
  code?: string | null;
}

/** Text that a child reads, or is read to, before its own word on places. */
export interface TextForChildren {
  text_version: string;
  locale: string;
  text: string;
}

/** A text for the child. */
export interface TextMessageRequest {
  kind: "text";
  text: string;
  made_at?: string | null;
}

/** Tokens of a session; the refresh token is returned only once. */
export interface TokenResponse {
  access_token: string;
  token_type?: "bearer";
  expires_in_s: number;
  refresh_token: string;
  refresh_expires_in_s: number;
  guardian_id: string;
  limited: boolean;
  device_token: string | null;
}

/** Number of one child's messages that the caller has not read (all kinds) or not played (voice). */
export interface UnheardCount {
  child_id: string;
  unread: number;
  unplayed: number;
}

/** Counts for each child that the caller may message. */
export interface UnreadResponse {
  children: Array<UnheardCount>;
}

/** Progress of an upload; the next part begins at `offset`. */
export interface UploadResponse {
  upload_id: string;
  bytes: number;
  offset: number;
  part_max_bytes: number;
  expires_at: string;
  message_id: string | null;
}

/** Audio of a voice message; its bytes are at `/audio`. */
export interface Voice {
  state: "pending" | "ready" | "unplayable" | "gone";
  duration_ms: number | null;
  bytes: number;
  bars: Array<number> | null;
  kept: boolean;
  expires_at: string;
  kept_until: string | null;
}

/** A log-in of another guardian on a new device that waits for an approval: which phone, when, whose number. */
export interface WaitingLogIn {
  log_in_id: string;
  guardian_id: string;
  display_name: string;
  phone: string | null;
  label: string;
  created_at: string;
  approvable_from_at: string;
  approvable_until_at: string;
}

/** Log-ins that the caller may approve, oldest first. */
export interface WaitingLogInsResponse {
  log_ins: Array<WaitingLogIn>;
}

/** An open hand-out as a room reads it: no family, no name of a person, only counts. */
export interface WallResponse {
  site: string;
  locale: string;
  timezone: string;
  code: string;
  log_in_url: string;
  qr_svg: string;
  closes_at: string;
  enrolled: number;
  logged_in: number;
  given: number;
  paired: number;
}

/** State of the child's watch; a version exceeds its `acked` version until the watch acknowledges the change. */
export interface WatchOfChild {
  watch_serial: string;
  state: "issued" | "online" | "asleep" | "offline";
  presence: "issued" | "on_its_way" | "online" | "asleep" | "offline" | "silent" | "flat" | "switched_off" | "sim_expired";
  presence_since_at: string | null;
  on_its_way_since_at: string | null;
  last_seen_at: string | null;
  asleep_until_at: string | null;
  battery_pct: number | null;
  battery_at: string | null;
  battery_trend_pct_per_h: number | null;
  firmware: string | null;
  contacts_version: number;
  contacts_acked_version: number;
  config_version: number;
  config_acked_version: number;
}

/** The configuration; `acked_version` is older than `version` until the watch acknowledges the change. */
export interface WatchSettingsResponse {
  version: number;
  acked_version: number | null;
  checkin_interval_s: number;
  location: boolean;
  quiet: Array<QuietTime>;
  quiet_now: boolean;
  timezone: string;
  utc_offset_s: number;
  language: "en" | "zh-Hans" | "vi" | "tr";
  volume_pct: number;
}

/** One report of a gateway of one's own. */
export interface WebhookReport {
  id: string;
  delivered: boolean;
}

/** The part whose consent is withdrawn. */
export interface WithdrawConsentRequest {
  part: "messages" | "location" | "measurement" | "sos_places";
}

/** Days (1 is Monday) and local hours of the child; `to` before `from` extends into the next morning. */
export interface ZoneHours {
  days: Array<number>;
  from: string;
  to: string;
}

/** A safe zone by its name. */
export interface ZoneName {
  zone_id: string;
  name: string;
}

/** A safe zone, and the child's position relative to it. */
export interface ZoneResponse {
  zone_id: string;
  name: string;
  shape: CircleShape | OutlineShape;
  hours: Array<ZoneHours>;
  stand: "unknown" | "inside" | "outside";
  since_at: string | null;
  created_at: string;
  changed_at: string;
}

/** The child's safe zones, oldest first. */
export interface ZonesResponse {
  zones: Array<ZoneResponse>;
}

/** `ready`: every guardian of the family can be reached, so a watch can be handed out. */
export interface services__api__family__schemas__alerts__ReadinessResponse {
  ready: boolean;
  guardians: Array<GuardianReach>;
  invited: number;
}

/** State of a message at one recipient. */
export interface services__api__family__schemas__messages__Recipient {
  kind: "child" | "guardian";
  guardian_id?: string | null;
  name: string;
  state: "queued" | "stored" | "delivered" | "played" | "expired" | "rejected";
  detail?: string | null;
  changed_at: string;
}

/** A request for help that the office has not closed yet. */
export interface services__api__family__schemas__programme__OpenHelp {
  help_id: string;
  kind: "broken" | "lost" | "worried";
  asked_at: string;
}

/** What the API refuses with. */
export type ProblemCode =
  | "access_token_invalid"
  | "agreement_not_due"
  | "alert_kind_unknown"
  | "alert_not_acknowledged"
  | "already_guardian"
  | "approver_too_new"
  | "audio_busy"
  | "audio_gone"
  | "audio_not_readable"
  | "audio_not_ready"
  | "birth_year_invalid"
  | "body_too_deep"
  | "break_glass_closed"
  | "busy_too_long"
  | "characters_not_printable"
  | "child_has_watch"
  | "child_refused"
  | "clip_does_not_fit"
  | "clip_too_large"
  | "clip_too_long"
  | "cohort_differs"
  | "cohort_unknown"
  | "command_too_often"
  | "confirmation_missing"
  | "consent_proof_wrong"
  | "consent_required"
  | "consent_text_unknown"
  | "contact_not_approved"
  | "contact_number_taken"
  | "contact_of_guardian"
  | "contact_order_incomplete"
  | "contacts_full"
  | "contest_decision_ended"
  | "contest_decision_stands"
  | "contest_exists"
  | "country_unknown"
  | "cursor_invalid"
  | "dates_reversed"
  | "day_not_kept"
  | "dhis2_ids_ambiguous"
  | "dhis2_ids_malformed"
  | "dhis2_import_running"
  | "dhis2_not_configured"
  | "duplicate_key"
  | "email_refused"
  | "emoji_unknown"
  | "end_reason_unknown"
  | "end_too_soon"
  | "erasure_ledger_away"
  | "erasure_ledger_broken"
  | "erasures_pending"
  | "export_not_ready"
  | "export_running"
  | "family_full"
  | "family_unknown"
  | "filing_number_not_here"
  | "foreign_page"
  | "form_field_missing"
  | "hand_out_closed"
  | "hand_out_of_colleague"
  | "hand_out_too_long"
  | "help_kind_unknown"
  | "idempotency_key_conflict"
  | "inbox_full"
  | "internal_error"
  | "invalid_request"
  | "invitation_ended"
  | "invitation_exists"
  | "last_messenger"
  | "lives_with_child_full"
  | "locale_unknown"
  | "location_off"
  | "log_in_not_read"
  | "log_in_too_old"
  | "login_code_ended"
  | "login_code_too_often"
  | "login_code_wrong"
  | "malformed"
  | "mapping_needed"
  | "master_key_missing"
  | "media_type_not_supported"
  | "method_not_allowed"
  | "new_phones_blocked"
  | "no_watch"
  | "not_a_recipient"
  | "not_acceptable"
  | "not_found"
  | "not_paired"
  | "nothing_to_undo"
  | "notice_outdated"
  | "number_change_ended"
  | "number_change_waiting"
  | "number_needs_office"
  | "number_taken"
  | "pairing_code_unknown"
  | "pairing_too_many_tries"
  | "paper_time_wrong"
  | "password_refused"
  | "permission_missing"
  | "phone_invalid"
  | "phone_not_mobile"
  | "phone_rounded"
  | "pin_refused"
  | "pin_wrong"
  | "primary_guardian"
  | "primary_only"
  | "processors_too_many"
  | "programme_phone_missing"
  | "programme_unknown"
  | "push_address_refused"
  | "push_endpoints_full"
  | "push_keys_invalid"
  | "question_child_wrong"
  | "quiet_times_invalid"
  | "range_not_satisfiable"
  | "recipient_not_allowed"
  | "recovery_document_needed"
  | "recovery_ended"
  | "recovery_paper_differs"
  | "recovery_phone_taken"
  | "recovery_stands"
  | "refresh_token_invalid"
  | "relation_unknown"
  | "request_too_slow"
  | "right_missing"
  | "right_not_yours"
  | "role_of_factory"
  | "role_unknown"
  | "scope_needed"
  | "scope_of_role"
  | "second_person_needed"
  | "second_step_needed"
  | "second_step_wrong"
  | "session_ended"
  | "sheet_refused"
  | "simulated_not_sent"
  | "simulation_exists"
  | "simulation_refused"
  | "site_ambiguous"
  | "site_differs"
  | "site_incomplete"
  | "site_kind_unknown"
  | "site_unknown"
  | "slip_refused"
  | "staff_differs"
  | "staff_ended"
  | "staff_log_in_refused"
  | "staff_phone_needed"
  | "staff_request_ended"
  | "staff_request_stands"
  | "staff_set_up_needed"
  | "staff_unknown"
  | "step_up_required"
  | "survey_empty"
  | "survey_published"
  | "survey_unconfirmed"
  | "survey_unknown"
  | "text_not_allowed"
  | "timezone_unknown"
  | "too_large"
  | "too_many_requests"
  | "too_many_uploads"
  | "trace_closed"
  | "trace_not_allowed"
  | "training_unknown"
  | "try_again"
  | "upload_hash_differs"
  | "upload_offset_differs"
  | "upload_unfinished"
  | "usage_export_not_ready"
  | "usage_export_running"
  | "vendor_file_failed"
  | "vendor_file_of_others"
  | "watch_handed_out"
  | "watch_of_other_site"
  | "watch_paired"
  | "watch_state"
  | "watch_unknown"
  | "zone_hours_invalid"
  | "zone_shape_invalid"
  | "zones_full";

/** Each operation that a guardian may use, with who may use it. */
export interface Operations {
  /** open */
  "GET /v1/walls/{token}": { path: { token: string }; query: never; body: never; answer: WallResponse };
  /** signed link, provider's report */
  "POST /v1/sms-reports/aliyun/{token}": { path: { token: string }; query: never; body: Array<AliyunReport>; answer: Received };
  /** signed link, provider's report */
  "GET /v1/sms-reports/esms/{token}": { path: { token: string }; query: { RequestId?: string; SendStatus?: string; SendSuccess?: string }; body: never; answer: Received };
  /** signed link, provider's report */
  "POST /v1/sms-reports/twilio/{token}": { path: { token: string }; query: { message_id?: string }; body: never; answer: Received };
  /** signed link, provider's report */
  "POST /v1/sms-reports/webhook/{token}": { path: { token: string }; query: never; body: WebhookReport; answer: Received };
  /** open */
  "POST /v1/auth/codes": { path: never; query: never; body: LoginCodeRequest; answer: LoginCodeResponse };
  /** open */
  "POST /v1/auth/tokens": { path: never; query: never; body: LogInRequest; answer: TokenResponse };
  /** open */
  "POST /v1/auth/slips": { path: never; query: never; body: SlipLogInRequest; answer: TokenResponse };
  /** logged in, before the second step too */
  "GET /v1/auth/second-step": { path: never; query: never; body: never; answer: SecondStepResponse };
  /** logged in, before the second step too */
  "POST /v1/auth/second-step": { path: never; query: never; body: SecondStepRequest; answer: undefined };
  /** open */
  "POST /v1/auth/refresh": { path: never; query: never; body: RefreshRequest; answer: TokenResponse };
  /** logged in, before the second step too */
  "POST /v1/auth/logout": { path: never; query: never; body: never; answer: undefined };
  /** logged in */
  "GET /v1/me/sessions": { path: never; query: never; body: never; answer: MySessionsResponse };
  /** logged in */
  "DELETE /v1/me/sessions/{session_id}": { path: { session_id: string }; query: never; body: never; answer: undefined };
  /** logged in */
  "GET /v1/me/pin": { path: never; query: never; body: never; answer: PinStateResponse };
  /** logged in, step-up */
  "PUT /v1/me/pin": { path: never; query: never; body: NewPinRequest; answer: undefined };
  /** logged in */
  "GET /v1/me/log-ins": { path: never; query: never; body: never; answer: WaitingLogInsResponse };
  /** logged in */
  "POST /v1/me/log-ins/{log_in_id}/approve": { path: { log_in_id: string }; query: never; body: never; answer: undefined };
  /** logged in */
  "POST /v1/me/log-ins/{log_in_id}/refuse": { path: { log_in_id: string }; query: never; body: never; answer: undefined };
  /** logged in */
  "GET /v1/me/new-phones": { path: never; query: never; body: never; answer: NewPhonesBlock };
  /** logged in */
  "POST /v1/me/new-phones/block": { path: never; query: never; body: never; answer: NewPhonesBlock };
  /** logged in, step-up */
  "POST /v1/me/new-phones/unblock": { path: never; query: never; body: never; answer: undefined };
  /** logged in */
  "POST /v1/me/step-up/codes": { path: never; query: never; body: never; answer: LoginCodeResponse };
  /** logged in */
  "POST /v1/me/step-up": { path: never; query: never; body: StepUpRequest; answer: undefined };
  /** logged in, step-up */
  "POST /v1/me/number-change/codes": { path: never; query: never; body: NewNumberRequest; answer: LoginCodeResponse };
  /** logged in, before the second step too */
  "GET /v1/me/number-change": { path: never; query: never; body: never; answer: NumberChangesResponse };
  /** logged in, step-up */
  "POST /v1/me/number-change": { path: never; query: never; body: NumberChangeRequest; answer: NumberChange };
  /** logged in, before the second step too */
  "POST /v1/me/number-change/stop": { path: never; query: never; body: never; answer: NumberChange };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/number-changes": { path: { family_id: string }; query: never; body: never; answer: NumberChangesResponse };
  /** logged in */
  "GET /v1/me": { path: never; query: never; body: never; answer: MeResponse };
  /** logged in */
  "PATCH /v1/me": { path: never; query: never; body: ChangeMeRequest; answer: MeResponse };
  /** open */
  "GET /v1/consent-texts": { path: never; query: { locale?: string }; body: never; answer: ConsentTextsResponse };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/privacy-notice": { path: { family_id: string }; query: { locale?: string }; body: never; answer: PrivacyNoticeResponse };
  /** logged in */
  "GET /v1/invitations/{invitation_id}/privacy-notice": { path: { invitation_id: string }; query: { locale?: string }; body: never; answer: PrivacyNoticeResponse };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/consents": { path: { family_id: string }; query: never; body: never; answer: ConsentsResponse };
  /** in family, any right, before consent too */
  "POST /v1/families/{family_id}/consents": { path: { family_id: string }; query: never; body: GiveConsentRequest; answer: ConsentResponse };
  /** in family, any right, before consent too */
  "POST /v1/families/{family_id}/consents/withdraw": { path: { family_id: string }; query: never; body: WithdrawConsentRequest; answer: undefined };
  /** logged in */
  "POST /v1/invitations/{invitation_id}/accept": { path: { invitation_id: string }; query: never; body: AcceptInvitationRequest; answer: MeResponse };
  /** logged in */
  "POST /v1/invitations/{invitation_id}/decline": { path: { invitation_id: string }; query: never; body: never; answer: undefined };
  /** logged in */
  "GET /v1/home": { path: never; query: never; body: never; answer: HomeResponse };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/question": { path: { family_id: string }; query: never; body: never; answer: QuestionResponse };
  /** in family, any right, before consent too */
  "POST /v1/families/{family_id}/question/not-now": { path: { family_id: string }; query: never; body: NotNowRequest; answer: undefined };
  /** in family, any right */
  "GET /v1/families/{family_id}/children": { path: { family_id: string }; query: never; body: never; answer: ChildrenResponse };
  /** in family, manage right */
  "POST /v1/families/{family_id}/children": { path: { family_id: string }; query: never; body: NewChildRequest; answer: ChildResponse };
  /** of child, any right */
  "GET /v1/children/{child_id}": { path: { child_id: string }; query: never; body: never; answer: ChildResponse };
  /** of child, manage right */
  "PATCH /v1/children/{child_id}": { path: { child_id: string }; query: never; body: ChangeChildRequest; answer: ChildResponse };
  /** of child, first guardian, before consent too, step-up */
  "DELETE /v1/children/{child_id}": { path: { child_id: string }; query: { confirm?: string }; body: never; answer: ErasureResponse };
  /** of child, manage right */
  "POST /v1/children/{child_id}/agreement": { path: { child_id: string }; query: never; body: ChildAgreementRequest; answer: ChildAgreementResponse };
  /** of child, manage right */
  "DELETE /v1/children/{child_id}/agreement": { path: { child_id: string }; query: never; body: never; answer: undefined };
  /** in family, any right */
  "GET /v1/families/{family_id}/guardians": { path: { family_id: string }; query: never; body: never; answer: GuardiansResponse };
  /** in family, any right, step-up */
  "PATCH /v1/families/{family_id}/guardians/{guardian_id}": { path: { guardian_id: string; family_id: string }; query: never; body: ChangeGuardianRequest; answer: GuardianResponse };
  /** in family, any right, before consent too, step-up */
  "DELETE /v1/families/{family_id}/guardians/{guardian_id}": { path: { guardian_id: string; family_id: string }; query: never; body: never; answer: undefined };
  /** in family, manage right */
  "GET /v1/families/{family_id}/invitations": { path: { family_id: string }; query: never; body: never; answer: InvitationsResponse };
  /** in family, manage right */
  "POST /v1/families/{family_id}/invitations": { path: { family_id: string }; query: never; body: NewInvitationRequest; answer: InvitationResponse };
  /** in family, manage right */
  "DELETE /v1/families/{family_id}/invitations/{invitation_id}": { path: { invitation_id: string; family_id: string }; query: never; body: never; answer: undefined };
  /** of child, any right */
  "GET /v1/children/{child_id}/contacts": { path: { child_id: string }; query: never; body: never; answer: ContactListResponse };
  /** of child, any right */
  "POST /v1/children/{child_id}/contacts": { path: { child_id: string }; query: never; body: NewContactRequest; answer: ContactResponse };
  /** of child, manage right */
  "PUT /v1/children/{child_id}/contacts/order": { path: { child_id: string }; query: never; body: ContactOrderRequest; answer: ContactListResponse };
  /** of child, manage right */
  "POST /v1/children/{child_id}/contacts/{contact_id}/approve": { path: { contact_id: string; child_id: string }; query: never; body: never; answer: ContactResponse };
  /** of child, manage right */
  "PATCH /v1/children/{child_id}/contacts/{contact_id}": { path: { contact_id: string; child_id: string }; query: never; body: ChangeContactRequest; answer: ContactResponse };
  /** of child, manage right */
  "DELETE /v1/children/{child_id}/contacts/{contact_id}": { path: { contact_id: string; child_id: string }; query: never; body: never; answer: undefined };
  /** of child, manage right */
  "PUT /v1/children/{child_id}/contacts/{contact_id}/lives-with-child": { path: { contact_id: string; child_id: string }; query: never; body: LivesWithChildRequest; answer: ContactResponse };
  /** of child, manage right */
  "DELETE /v1/children/{child_id}/contacts/{contact_id}/lives-with-child": { path: { contact_id: string; child_id: string }; query: never; body: never; answer: undefined };
  /** of child, manage right */
  "POST /v1/children/{child_id}/pairing": { path: { child_id: string }; query: never; body: PairRequest; answer: PairingResponse };
  /** of child, any right */
  "GET /v1/children/{child_id}/pairing": { path: { child_id: string }; query: never; body: never; answer: PairingResponse };
  /** of child, manage right, step-up */
  "DELETE /v1/children/{child_id}/pairing": { path: { child_id: string }; query: { reason?: "unpaired" | "lost" | "returned" }; body: never; answer: undefined };
  /** of child, any right */
  "POST /v1/children/{child_id}/pairing/arrived": { path: { child_id: string }; query: never; body: never; answer: undefined };
  /** of child, message right */
  "POST /v1/children/{child_id}/messages": { path: { child_id: string }; query: never; body: TextMessageRequest | EmojiMessageRequest; answer: MessageResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/messages": { path: { child_id: string }; query: { cursor?: string | null; limit?: number; changed_after?: string | null }; body: never; answer: MessagesResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/messages/{message_id}": { path: { message_id: string; child_id: string }; query: never; body: never; answer: MessageResponse };
  /** of child, message right */
  "PUT /v1/children/{child_id}/messages/{message_id}/state": { path: { message_id: string; child_id: string }; query: never; body: MessageStateRequest; answer: MessageResponse };
  /** of child, message right */
  "POST /v1/children/{child_id}/voice-messages": { path: { child_id: string }; query: never; body: ArrayBuffer | Blob; answer: MessageResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/voice-messages/ending": { path: { child_id: string }; query: never; body: never; answer: EndingRecordingsResponse };
  /** of child, message right */
  "POST /v1/children/{child_id}/voice-messages/keep": { path: { child_id: string }; query: never; body: never; answer: KeptRecordingsResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/messages/{message_id}/audio": { path: { message_id: string; child_id: string }; query: never; body: never; answer: Blob };
  /** of child, message right */
  "POST /v1/children/{child_id}/messages/{message_id}/audio-link": { path: { message_id: string; child_id: string }; query: never; body: never; answer: AudioLinkResponse };
  /** of child, message right */
  "PUT /v1/children/{child_id}/messages/{message_id}/kept": { path: { message_id: string; child_id: string }; query: never; body: KeepVoiceRequest; answer: MessageResponse };
  /** of child, message right */
  "POST /v1/children/{child_id}/uploads": { path: { child_id: string }; query: never; body: NewUploadRequest; answer: UploadResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/uploads/{upload_id}": { path: { upload_id: string; child_id: string }; query: never; body: never; answer: UploadResponse };
  /** of child, message right */
  "PATCH /v1/children/{child_id}/uploads/{upload_id}": { path: { upload_id: string; child_id: string }; query: never; body: ArrayBuffer | Blob; answer: UploadResponse };
  /** of child, message right */
  "POST /v1/children/{child_id}/uploads/{upload_id}/message": { path: { upload_id: string; child_id: string }; query: never; body: never; answer: MessageResponse };
  /** signed link, message right */
  "GET /v1/audio/{token}": { path: { token: string }; query: never; body: never; answer: Blob };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/audit": { path: { family_id: string }; query: { before?: number | null; limit?: number }; body: never; answer: AuditLogResponse };
  /** of child, any right */
  "GET /v1/children/{child_id}/looks": { path: { child_id: string }; query: { before?: number | null; limit?: number }; body: never; answer: AccessLogResponse };
  /** in family, first guardian, before consent too, step-up */
  "DELETE /v1/families/{family_id}": { path: { family_id: string }; query: { confirm?: string }; body: never; answer: ErasureResponse };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/erasures": { path: { family_id: string }; query: never; body: never; answer: ErasuresResponse };
  /** in family, any right */
  "PUT /v1/families/{family_id}/my-number": { path: { family_id: string }; query: never; body: HideNumberRequest; answer: undefined };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/contests": { path: { family_id: string }; query: never; body: never; answer: ContestsResponse };
  /** in family, any right, before consent too */
  "POST /v1/families/{family_id}/contests": { path: { family_id: string }; query: never; body: NewContestRequest; answer: ContestResponse };
  /** in family, any right, before consent too */
  "DELETE /v1/families/{family_id}/contests/{contest_id}": { path: { contest_id: string; family_id: string }; query: never; body: never; answer: undefined };
  /** in family, any right, before consent too, step-up */
  "POST /v1/families/{family_id}/exports": { path: { family_id: string }; query: never; body: never; answer: ExportResponse };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/exports": { path: { family_id: string }; query: never; body: never; answer: ExportsResponse };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/exports/{export_id}": { path: { export_id: string; family_id: string }; query: never; body: never; answer: ExportResponse };
  /** in family, any right, before consent too, step-up */
  "GET /v1/families/{family_id}/exports/{export_id}/file": { path: { export_id: string; family_id: string }; query: never; body: never; answer: Blob };
  /** in family, any right, before consent too, step-up */
  "POST /v1/families/{family_id}/exports/{export_id}/link": { path: { export_id: string; family_id: string }; query: never; body: never; answer: ExportLinkResponse };
  /** signed link, in family */
  "GET /v1/exports/{token}": { path: { token: string }; query: never; body: never; answer: Blob };
  /** logged in */
  "GET /v1/sync": { path: never; query: { since?: string | null }; body: never; answer: EventsResponse };
  /** logged in */
  "GET /v1/events": { path: never; query: never; body: never; answer: Blob };
  /** in family, any right, before consent too */
  "GET /v1/families/{family_id}/recoveries": { path: { family_id: string }; query: never; body: never; answer: FamilyRecoveriesResponse };
  /** in family, any right, before consent too */
  "POST /v1/families/{family_id}/recoveries/{recovery_id}/contest": { path: { recovery_id: string; family_id: string }; query: never; body: never; answer: FamilyRecoveryResponse };
  /** logged in */
  "GET /v1/notices": { path: never; query: { limit?: number }; body: never; answer: NoticesResponse };
  /** of child, any right */
  "POST /v1/children/{child_id}/help": { path: { child_id: string }; query: never; body: AskForHelpRequest; answer: HelpResponse };
  /** of child, any right */
  "GET /v1/children/{child_id}/help": { path: { child_id: string }; query: never; body: never; answer: OpenHelpResponse };
  /** in family, any right */
  "GET /v1/families/{family_id}/programme-end": { path: { family_id: string }; query: never; body: never; answer: ProgrammeEndResponse };
  /** of child, any right */
  "GET /v1/children/{child_id}/starters": { path: { child_id: string }; query: never; body: never; answer: PromptsResponse };
  /** logged in */
  "GET /v1/me/starter-nudge": { path: never; query: never; body: never; answer: ReminderResponse };
  /** logged in */
  "PUT /v1/me/starter-nudge": { path: never; query: never; body: ReminderRequest; answer: ReminderResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/alerts": { path: { child_id: string }; query: { cursor?: string | null; limit?: number }; body: never; answer: AlertsResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/alerts/{alert_id}": { path: { alert_id: string; child_id: string }; query: never; body: never; answer: AlertResponse };
  /** of child, locate right, consent to sos_places */
  "GET /v1/children/{child_id}/alerts/{alert_id}/place": { path: { alert_id: string; child_id: string }; query: never; body: never; answer: SosPlaceResponse };
  /** of child, message right */
  "POST /v1/children/{child_id}/alerts/{alert_id}/acknowledge": { path: { alert_id: string; child_id: string }; query: never; body: AcknowledgeRequest | null; answer: AlertResponse };
  /** of child, message right */
  "POST /v1/children/{child_id}/alerts/{alert_id}/all-right": { path: { alert_id: string; child_id: string }; query: never; body: AllRightRequest; answer: AlertResponse };
  /** in family, any right */
  "GET /v1/families/{family_id}/readiness": { path: { family_id: string }; query: never; body: never; answer: services__api__family__schemas__alerts__ReadinessResponse };
  /** of child, any right */
  "POST /v1/children/{child_id}/commands": { path: { child_id: string }; query: never; body: NewCommandRequest; answer: CommandResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/commands": { path: { child_id: string }; query: { limit?: number }; body: never; answer: CommandsResponse };
  /** of child, message right */
  "GET /v1/children/{child_id}/commands/{command_id}": { path: { command_id: string; child_id: string }; query: never; body: never; answer: CommandResponse };
  /** of child, any right */
  "GET /v1/children/{child_id}/watch-settings": { path: { child_id: string }; query: never; body: never; answer: WatchSettingsResponse };
  /** of child, manage right */
  "PATCH /v1/children/{child_id}/watch-settings": { path: { child_id: string }; query: never; body: ChangeWatchSettingsRequest; answer: WatchSettingsResponse };
  /** logged in */
  "GET /v1/me/availability": { path: never; query: never; body: never; answer: AvailabilityResponse };
  /** logged in */
  "PUT /v1/me/availability": { path: never; query: never; body: AvailabilityRequest; answer: AvailabilityResponse };
  /** logged in */
  "GET /v1/push-key": { path: never; query: never; body: never; answer: PushKeyResponse };
  /** logged in */
  "GET /v1/push-endpoints": { path: never; query: never; body: never; answer: PushEndpointsResponse };
  /** logged in */
  "POST /v1/push-endpoints": { path: never; query: never; body: NewWebPushRequest | NewWebhookRequest; answer: RegisteredPushEndpointResponse };
  /** logged in */
  "POST /v1/push-endpoints/{endpoint_id}/try": { path: { endpoint_id: string }; query: never; body: never; answer: PushTrialResponse };
  /** logged in */
  "DELETE /v1/push-endpoints/{endpoint_id}": { path: { endpoint_id: string }; query: never; body: never; answer: undefined };
  /** of child, locate right, consent to location */
  "GET /v1/children/{child_id}/checkins/latest": { path: { child_id: string }; query: never; body: never; answer: LatestPlaceResponse };
  /** of child, locate right, consent to location */
  "GET /v1/children/{child_id}/checkins/day": { path: { child_id: string }; query: { day?: string | null }; body: never; answer: DayResponse };
  /** of child, locate right, consent to location */
  "GET /v1/children/{child_id}/checkins/day/fixes": { path: { child_id: string }; query: { day?: string | null; cursor?: string | null; limit?: number }; body: never; answer: CheckinsResponse };
  /** of child, locate right, consent to location */
  "GET /v1/children/{child_id}/checkins/day.geojson": { path: { child_id: string }; query: { day?: string | null }; body: never; answer: Blob };
  /** of child, locate right, consent to location */
  "GET /v1/children/{child_id}/checkins/day.gpx": { path: { child_id: string }; query: { day?: string | null }; body: never; answer: Blob };
  /** of child, manage right, consent to location */
  "GET /v1/children/{child_id}/zones": { path: { child_id: string }; query: never; body: never; answer: ZonesResponse };
  /** of child, manage right, consent to location */
  "POST /v1/children/{child_id}/zones": { path: { child_id: string }; query: never; body: NewZoneRequest; answer: ZoneResponse };
  /** of child, manage right, consent to location */
  "GET /v1/children/{child_id}/zones/{zone_id}": { path: { zone_id: string; child_id: string }; query: never; body: never; answer: ZoneResponse };
  /** of child, manage right, consent to location */
  "PATCH /v1/children/{child_id}/zones/{zone_id}": { path: { zone_id: string; child_id: string }; query: never; body: ChangeZoneRequest; answer: ZoneResponse };
  /** of child, manage right, consent to location */
  "DELETE /v1/children/{child_id}/zones/{zone_id}": { path: { zone_id: string; child_id: string }; query: never; body: never; answer: undefined };
  /** logged in */
  "GET /v1/unread": { path: never; query: never; body: never; answer: UnreadResponse };
  /** logged in */
  "GET /v1/checkins/latest": { path: never; query: never; body: never; answer: LatestPlacesResponse };
}
