// The types of the API. Made from its OpenAPI document by `make web`. Do not edit.

/** A request to open, reset or promote an account; it is carried out after a second person's approval. */
export interface AccountRequestResponse {
  request_id: string;
  kind: "open" | "reset" | "role";
  state: "asked" | "done" | "withdrawn";
  email: string;
  display_name: string;
  role: string;
  phone: string | null;
  employed_by_factory: boolean;
  programme_id: string | null;
  site_id: string | null;
  staff_id: string | null;
  asked_by: string;
  asked_by_name: string;
  asked_at: string;
  approved_by: string | null;
  approved_by_name: string | null;
  ended_at: string | null;
}

/** Requests, newest first; a request older than 7 days can no longer be approved. */
export interface AccountRequestsResponse {
  requests: Array<AccountRequestResponse>;
}

/** A staff account. */
export interface AccountResponse {
  staff_id: string;
  email: string;
  display_name: string;
  role: string;
  set_up: boolean;
  employed_by_factory: boolean;
  approves_from: string;
  ended_at: string | null;
  scopes: Array<AccountScope>;
}

/** One programme or one site in an account's scope. */
export interface AccountScope {
  programme_id: string | null;
  site_id: string | null;
}

/** Accounts by address. */
export interface AccountsResponse {
  accounts: Array<AccountResponse>;
}

/** The document's number, entered independently by the second person. */
export interface ApproveDecisionRequest {
  form_number: string;
  document?: Document | null;
}

/** The document's number, entered independently by the second person. */
export interface ApproveRecoveryRequest {
  form_number: string;
  document?: Document | null;
}

/** Families lost between the waves, in counts rounded to 5. */
export interface Attrition {
  baseline: number;
  matched: number;
  lost_share: Estimate | null;
  baseline_of_matched: number | null;
  baseline_of_lost: number | null;
}

/** A family on hand-out day. */
export interface BoardFamily {
  family_code: string;
  has_logged_in: boolean;
  serials: Array<string>;
  paired: boolean;
  no_working_channel: boolean | null;
}

/** One part of the board; it replaces the part of the same number. */
export interface BoardPart {
  part: number;
  families: Array<BoardFamily>;
}

/** Counts of families, and the parts of the board that changed. */
export interface BoardResponse {
  since: string;
  enrolled: number;
  logged_in: number;
  given: number;
  paired: number;
  parts: Array<BoardPart>;
}

/** A guardian's name and number, and nothing else. */
export interface BreakGlassGuardianResponse {
  name: string;
  phone: string;
}

/** A page of cases, newest first. */
export interface BreakGlassListResponse {
  break_glass: Array<BreakGlassResponse>;
  next: string | null;
}

/** A break-glass case; the reason is visible to the staff who decide about it. */
export interface BreakGlassResponse {
  break_glass_id: string;
  family_code: string;
  reason: string;
  tell_after_days: number;
  asked_by: string;
  asked_by_name: string;
  asked_at: string;
  approved_by: string | null;
  approved_by_name: string | null;
  delay_approved_by: string | null;
  delay_approved_by_name: string | null;
  opened_at: string | null;
  closes_at: string | null;
  told_at: string | null;
}

/** The old password, a code of the authenticator app, and the new password. */
export interface ChangePasswordRequest {
  password: string;
  code: string;
  new_password: string;
}

/** The colleague's new role. */
export interface ChangeRoleRequest {
  role: "admin" | "manager" | "staff" | "coordinator" | "factory";
}

/** A cohort of a site. */
export interface Cohort {
  cohort_id: string;
  name: string;
  starts_on: string | null;
  ends_on: string | null;
}

/** A conversation prompt that families of the cohort are shown. */
export interface CohortPrompt {
  starter: string;
  ages: string;
  text: string;
}

/** The prompts of a week that begins on a Monday, three for each age. */
export interface CohortPromptWeek {
  week_starts_on: string;
  prompts: Array<CohortPrompt>;
}

/** The prompts of this week and the next. Whether a family uses one is not recorded. */
export interface CohortPromptsResponse {
  weeks: Array<CohortPromptWeek>;
}

/** Cohorts by name. */
export interface CohortsResponse {
  cohorts: Array<Cohort>;
}

/** One question in matched pairs, with counts rounded to 5; a suppressed comparison has no other values. */
export interface Comparison {
  question: string;
  kind: "yes_no" | "number" | "scale";
  suppressed: boolean;
  matched: number;
  before: Estimate | null;
  after: Estimate | null;
  difference: Estimate | null;
  bootstrap: ConfidenceInterval | null;
  p_value: number | null;
  attrition: Attrition | null;
}

/** A 95 % confidence interval. */
export interface ConfidenceInterval {
  low: number;
  high: number;
}

/** The app's first code, and a self-chosen password that replaces the first password. */
export interface ConfirmSetUpRequest {
  email: string;
  password: string;
  code: string;
  keep?: "json" | "cookie";
  new_password: string;
}

/** Whether this request notified the family; false: it was notified within the last day. */
export interface ContactFamilyResponse {
  asked_now: boolean;
}

/** A contested right: relations and the right, no names. */
export interface ContestAtSite {
  contest_id: string;
  family_code: string;
  raised_by_relation: string;
  about_relation: string;
  right: string;
  raised_at: string;
  decision: DecisionResponse | null;
}

/** Open contests, oldest first. */
export interface ContestsAtSiteResponse {
  contests: Array<ContestAtSite>;
}

/** The created or existing object. */
export interface CreatedResponse {
  id: string;
  is_new: boolean;
}

/** A decision about a contested right; the document's number is not returned. */
export interface DecisionResponse {
  contest_id: string;
  upholds: boolean;
  state: string;
  document: string;
  asked_by: string;
  asked_by_name: string;
  asked_at: string;
  approved_by: string | null;
  approved_by_name: string | null;
  due_at: string | null;
}

/** The number of the site's watches in each state; a watch can be in several. */
export interface DeviceStatesResponse {
  states: Record<string, number>;
}

/** A conflict in the words of DHIS2. */
export interface Dhis2Conflict {
  object: string;
  problem: string;
  code: string;
}

/** An import: first checked by DHIS2 as a whole, then stored there if nothing conflicts. */
export interface Dhis2ImportResponse {
  import_id: string;
  programme_id: string;
  site_id: string | null;
  check_only: boolean;
  state: "waiting" | "running" | "checked" | "conflicts" | "done" | "partly" | "failed";
  percent: number;
  values: number;
  last_week: string | null;
  left_out: Dhis2LeftOut;
  checked: Dhis2Summary | null;
  imported: Dhis2Summary | null;
  problem: string | null;
  sentence: string | null;
  message: string;
  asked_at: string;
  changed_at: string;
  ended_at: string | null;
  tried_again_at: string | null;
}

/** The latest imports about scopes that the caller serves, newest first. */
export interface Dhis2ImportsResponse {
  imports: Array<Dhis2ImportResponse>;
}

/** What is not sent. */
export interface Dhis2LeftOut {
  suppressed?: number;
  bounds?: number;
  indicators_without_element?: Array<string>;
  scopes_without_unit?: Array<string>;
  units_of_other_scopes?: Array<string>;
}

/** DHIS2 identifiers of indicators and of sites, cohorts or the programme; unmapped ones are left out. */
export interface Dhis2Mapping {
  data_elements: Record<string, unknown>;
  org_units: Record<string, string>;
  dry_run?: boolean;
}

/** The import summaries of all batches of a phase together. */
export interface Dhis2Summary {
  imported: number;
  updated: number;
  ignored: number;
  conflict_count: number;
  conflicts: Array<Dhis2Conflict>;
}

export type Document = "enrolment_form" | "identity_card" | "passport" | "household_book";

/** The reason for the end of a family's enrolment; its watch and messages stay. */
export interface EndEnrolmentRequest {
  family_code: string;
  reason: "left_factory" | "moved_away" | "watch_returned" | "declined" | "child_grown" | "other";
}

/** An enrolment that has ended. */
export interface EndedEnrolment {
  enrolment_id: string;
  family_code: string;
  cohort: string;
  enrolled_at: string;
  ended_at: string;
  reason: "left_factory" | "moved_away" | "watch_returned" | "declined" | "child_grown" | "other";
}

/** A page of ended enrolments, newest first; ``next`` is the next page's ``after``. */
export interface EndedEnrolmentsResponse {
  enrolments: Array<EndedEnrolment>;
  next: string | null;
}

/** Families to enrol at a site, all or none. A dry run validates them and is rolled back. */
export interface EnrolFamiliesRequest {
  families: Array<FamilyLine>;
  dry_run?: boolean;
}

/** Result of the list; with faults nothing is stored. */
export interface EnrolFamiliesResponse {
  taken: boolean;
  faults: Array<FamilyListFault>;
  enrolled: number;
  unchanged: number;
  watches_handed_out: number;
}

/** Pairs from paper, all or none, at the paper's time. A dry run validates them and is rolled back. */
export interface EnterPaperRequest {
  pairs: Array<PaperPair>;
  given_at: string;
  dry_run?: boolean;
}

/** Result of the paper; with faults nothing is stored. */
export interface EnterPaperResponse {
  taken: boolean;
  faults: Array<PaperPairFault>;
  handed_out: number;
  unchanged: number;
}

/** A share or a mean. */
export interface Estimate {
  value: number;
  interval: ConfidenceInterval | null;
}

/** A page of families by code; ``next`` is the next page's ``after``. */
export interface FamiliesAtSiteResponse {
  families: Array<FamilyAtSite>;
  next: string | null;
}

/** A family by its code, and its devices. */
export interface FamilyAtSite {
  family_code: string;
  cohort: string;
  enrolled_at: string;
  has_logged_in: boolean;
  watches: Array<WatchHealth>;
}

/** A family by its code. */
export interface FamilyCodeRequest {
  family_code: string;
}

/** A family of a site by its code. */
export interface FamilyDetailsResponse {
  family_code: string;
  cohort: string;
  enrolled_at: string;
  has_logged_in: boolean;
  watches: Array<WatchHealth>;
  no_working_channel: boolean | null;
  open_help: Array<services__api__staff__schemas__sites__OpenHelp> | null;
  trainings: Array<Training> | null;
}

/** One family of a list, without any name. */
export interface FamilyLine {
  family_code: string;
  phone: string;
  cohort: string;
  watch_serial?: string | null;
  form_number?: string | null;
}

/** One fault; ``row`` counts the families of the list from 1. */
export interface FamilyListFault {
  row: number;
  column: string;
  code: string;
}

export type FileKind = "csv" | "xlsx" | "report" | "dhis2";

/** A hand-out. */
export interface HandOutResponse {
  hand_out_id: string;
  families: number;
  codes_left: number;
  opened_at: string;
  closes_at: string;
  open: boolean;
  may_prolong: boolean;
  wall_url: string | null;
}

/** A watch's label and a family's code. */
export interface HandOutWatchRequest {
  scan: string;
  family_code: string;
}

/** Hand-outs, newest first. */
export interface HandOutsResponse {
  hand_outs: Array<HandOutResponse>;
}

/** A watch of a family; ``is_new`` false: the family had it before. */
export interface HandedOutWatchResponse {
  serial: string;
  family_code: string;
  is_new: boolean;
  no_working_channel: boolean | null;
}

/** An open help request. */
export interface HelpCall {
  help_id: string;
  family_code: string;
  kind: "broken" | "lost" | "worried";
  asked_at: string;
}

/** A page of help requests, oldest first. */
export interface HelpCallsResponse {
  calls: Array<HelpCall>;
  next: string | null;
}

/** One version of a definition; a changed formula is a new version. */
export interface Indicator {
  code: string;
  version: number;
  kind: "share_of_families" | "ratio" | "quartiles" | "median" | "survival";
  of_the_whole: boolean;
  words: Record<string, IndicatorText>;
}

/** An indicator in one language. */
export interface IndicatorText {
  name: string;
  definition: string;
}

/** Every indicator, in the order of reports. Usage is an output, not an impact. */
export interface IndicatorsResponse {
  indicators: Array<Indicator>;
  reading: Record<string, string>;
  unit: Record<string, string>;
}

/** One fault: its row as a spreadsheet numbers it (the heading is row 1; 0: the file), and its column. */
export interface ListFault {
  row: number;
  column: string;
  code: string;
  sentence: string | null;
}

/** Result of an import; with faults, and in a dry run, nothing is stored. */
export interface ListImportResponse {
  taken: boolean;
  dry_run: boolean;
  new: number;
  changed: number;
  unchanged: number;
  watches_handed_out: number;
  faults_in_all: number;
  faults: Array<ListFault>;
}

/** A company that processes data for the site. */
export interface NamedProcessor {
  name: string;
  country: string;
  purpose: string;
}

/** A colleague's account for one programme or one site in the caller's scope. */
export interface NewAccountRequest {
  email: string;
  display_name: string;
  role: "admin" | "manager" | "staff" | "coordinator" | "factory";
  phone: string;
  employed_by_factory: boolean;
  programme_id?: string | null;
  site_id?: string | null;
}

/** The reason for the access, and the delay of the notification if an immediate one is dangerous. */
export interface NewBreakGlassRequest {
  reason: string;
  tell_after_days?: number;
}

/** A cohort of a site. */
export interface NewCohortRequest {
  name: string;
  starts_on?: string | null;
  ends_on?: string | null;
}

/** A decision whether a contested right is removed, with the number of the family's document. */
export interface NewDecisionRequest {
  upholds: boolean;
  form_number: string;
  document?: Document | null;
}

/** Import of a site or of a whole programme with DHIS2's ids; indicators without an id are left out. */
export interface NewDhis2ImportRequest {
  site_id?: string | null;
  programme_id?: string | null;
  data_elements: Record<string, unknown>;
  org_units: Record<string, string>;
  check_only?: boolean;
}

/** The expected number of families, and the duration. */
export interface NewHandOutRequest {
  families: number;
  minutes: number;
}

/** The text sent to every family of the cohort; there are no replies. */
export interface NewNoticeRequest {
  text: string;
}

/** One question; bounds are required for a scale and optional for a number. */
export interface NewQuestion {
  question: string;
  kind: "yes_no" | "number" | "scale";
  label: string;
  least?: number | null;
  most?: number | null;
}

/** A recovery as written on the paper: a guardian's new number, or a new primary guardian. */
export interface NewRecoveryRequest {
  kind: "phone" | "primary";
  phone: string;
  new_phone: string;
  form_number: string;
  document?: Document | null;
}

/** A site of a programme. */
export interface NewSiteRequest {
  name: string;
  country: string;
  timezone: string;
  locale: string;
  kind?: "factory" | "school" | "centre";
}

/** A new survey, or further questions of an existing one. */
export interface NewSurveyRequest {
  name: string;
  questions: Array<NewQuestion>;
}

/** An export of published numbers of a site or of a whole programme. */
export interface NewUsageExportRequest {
  kind: FileKind;
  audience: RecipientInput;
  site_id?: string | null;
  programme_id?: string | null;
  locale?: "en" | "zh-Hans" | "vi" | "tr";
  dhis2?: Dhis2Mapping | null;
}

/** The watch, by its label. */
export interface OpenTraceRequest {
  scan: string;
}

/** The hand-out, and its wall code, which parents send as `hand_out_code`; its wall shows it again. */
export interface OpenedHandOutResponse {
  hand_out_id: string;
  families: number;
  codes_left: number;
  opened_at: string;
  closes_at: string;
  open: boolean;
  may_prolong: boolean;
  wall_url: string | null;
  code: string;
}

/** A watch and a family as written on paper. */
export interface PaperPair {
  scan: string;
  family_code: string;
}

/** One fault; ``row`` counts the pairs from 1. */
export interface PaperPairFault {
  row: number;
  column: "scan" | "family_code";
  code: string;
  family_code: string | null;
}

/** The families whose slips are printed. */
export interface PrintSlipsRequest {
  family_codes: Array<string>;
}

/** A company that processes data for the site. */
export interface Processor {
  name: string;
  country: string;
  purpose: string;
}

/** The new end; at most six hours after the opening. */
export interface ProlongHandOutRequest {
  closes_at: string;
}

export type RecipientInput = "staff" | "factory" | "brand";

/** A training attended by a family's guardian. */
export interface RecordTrainingRequest {
  family_code: string;
  training: "watch" | "migrant_parents" | "family_day" | "parenting" | "online_safety" | "refresher";
  attended_on: string;
}

/** Whether this request recorded the attendance; false: it was recorded before. */
export interface RecordTrainingResponse {
  is_new: boolean;
}

/** A training attended by an enrolled family. */
export interface RecordedTraining {
  family_code: string;
  training: "watch" | "migrant_parents" | "family_day" | "parenting" | "online_safety" | "refresher";
  attended_on: string;
  recorded_at: string;
}

/** A page of trainings by family code and date; ``next`` is the next page's ``after``. */
export interface RecordedTrainingsResponse {
  trainings: Array<RecordedTraining>;
  next: string | null;
}

/** Recoveries, newest first. */
export interface RecoveriesResponse {
  recoveries: Array<RecoveryResponse>;
}

/** New recovery codes for a lost phone; each works once, and they are returned only here. */
export interface RecoveryCodesResponse {
  recovery_codes: Array<string>;
}

/** A recovery; phone and document numbers are omitted, because the second person must see the document. */
export interface RecoveryResponse {
  recovery_id: string;
  family_code: string;
  kind: string;
  state: string;
  document: string;
  asked_by: string;
  asked_by_name: string;
  asked_at: string;
  approved_by: string | null;
  approved_by_name: string | null;
  due_at: string | null;
  ended_at: string | null;
}

/** The password and a code of the authenticator app; a recovery code is not enough. */
export interface RenewRecoveryCodesRequest {
  password: string;
  code: string;
}

/** A watch to withdraw, and the watch that replaces it. */
export interface ReplaceWatchRequest {
  scan: string;
  state: "returned" | "lost" | "broken";
  replacement: string;
}

/** The colleague's new phone number, if the number changes as well. */
export interface ResetAccountRequest {
  phone?: string | null;
}

/** A sent notice and its text. */
export interface SentNotice {
  notice_id: string;
  created_at: string;
  text: string;
}

/** The sent notice. */
export interface SentNoticeResponse {
  notice_id: string;
  created_at: string;
}

/** The notices sent to a cohort, newest first. */
export interface SentNoticesResponse {
  notices: Array<SentNotice>;
}

/** One programme or one site that the caller serves, with what a page needs to name it and to show its times. */
export interface ServedScope {
  programme_id: string | null;
  site_id: string | null;
  programme: string;
  simulated: boolean;
  site: string | null;
  country: string | null;
  timezone: string | null;
  locale: string | null;
}

/** The programme's last day; null cancels an announced end. */
export interface SetProgrammeEndRequest {
  ends_on: string | null;
}

/** The programme's last day, and whether this request changed it. */
export interface SetProgrammeEndResponse {
  ends_on: string | null;
  changed: boolean;
}

/** A page of families by code and serial; ``next`` is the next page's ``after``. */
export interface SilentFamiliesResponse {
  families: Array<SilentFamily>;
  next: string | null;
}

/** A family whose watch has not been heard for 7 days: its code and the watch's health. */
export interface SilentFamily {
  family_code: string;
  serial: string;
  states: Array<string>;
  battery_pct: number | null;
  last_seen_at: string | null;
}

/** A site in the caller's scope. */
export interface Site {
  site_id: string;
  programme_id: string;
  programme: string;
  name: string;
  country: string;
  timezone: string;
  locale: string;
  kind: string;
  simulated: boolean;
}

/** The privacy notice of a site. An empty field is not stated yet. */
export interface SiteNotice {
  controller_name?: string;
  controller_address?: string;
  controller_contact?: string;
  authority_name?: string;
  authority_contact?: string;
  officer_name?: string;
  officer_contact?: string;
  processors?: Array<Processor>;
  filing_number?: string;
}

/** A site's privacy notice with its missing required fields, without which production enrols no family. */
export interface SiteNoticeResponse {
  notice_version: string;
  missing: Array<string>;
  controller_name: string;
  controller_address: string;
  controller_contact: string;
  authority_name: string;
  authority_contact: string;
  officer_name: string;
  officer_contact: string;
  processors: Array<NamedProcessor>;
  filing_number: string;
}

/** One finding about the site itself. */
export interface SiteWarning {
  kind: "few_approvers";
  advice: string;
}

/** Sites by programme and name. */
export interface SitesResponse {
  sites: Array<Site>;
}

/** Address, password and the current code of the authenticator app. */
export interface StaffLogInRequest {
  email: string;
  password: string;
  code: string;
  keep?: "json" | "cookie";
}

/** The caller's name, role and scopes. */
export interface StaffMeResponse {
  staff_id: string;
  email: string;
  display_name: string;
  role: string;
  permissions: Array<string>;
  scopes: Array<ServedScope>;
}

/** Address and password, to set up the authenticator app. */
export interface StaffPasswordRequest {
  email: string;
  password: string;
}

/** The newest refresh token of a session; with `keep: cookie` it is in the cookie and omitted here. */
export interface StaffRefreshRequest {
  refresh_token?: string | null;
  keep?: "json" | "cookie";
}

/** A live session of the caller in a browser. */
export interface StaffSession {
  staff_session_id: string;
  created_at: string;
  last_used_at: string;
  current: boolean;
}

/** Every live session, newest first. */
export interface StaffSessionsResponse {
  sessions: Array<StaffSession>;
}

/** The first session, and recovery codes for a lost phone; each works once, and they are returned only here. */
export interface StaffSetUpDoneResponse {
  access_token: string;
  token_type?: "bearer";
  expires_in_s: number;
  refresh_token: string;
  staff_id: string;
  recovery_codes: Array<string>;
}

/** The secret for the authenticator app; it is returned only before the set-up is confirmed. */
export interface StaffSetUpResponse {
  otpauth_url: string;
  qr_svg: string;
}

/** A staff session's tokens; the refresh token is not stored in readable form. */
export interface StaffTokenResponse {
  access_token: string;
  token_type?: "bearer";
  expires_in_s: number;
  refresh_token: string;
  staff_id: string;
}

/** A family and its pseudonym in this survey. */
export interface SurveyPseudonym {
  family_code: string;
  pseudonym: string;
}

/** A page of families by code; ``next`` is the next page's ``after``. */
export interface SurveyPseudonymsResponse {
  families: Array<SurveyPseudonym>;
  next: string | null;
}

/** One question of a survey. */
export interface SurveyQuestionResponse {
  question: string;
  kind: "yes_no" | "number" | "scale";
  label: string;
  least: number | null;
  most: number | null;
}

/** The questions of a survey, by key. */
export interface SurveyQuestionsResponse {
  questions: Array<SurveyQuestionResponse>;
}

/** The site's published report of a survey; it contains impact and no usage. */
export interface SurveyReportResponse {
  survey_id: string;
  published_at: string | null;
  comparisons: Array<Comparison>;
}

/** A survey of the site's programme. */
export interface SurveyResponse {
  survey_id: string;
  name: string;
  published_at: string | null;
}

/** Surveys by name. */
export interface SurveysResponse {
  surveys: Array<SurveyResponse>;
}

/** One thing that the backend saw of the watch. */
export interface TraceLine {
  at: string;
  identity: "factory" | "paired";
  what: "connected" | "gone" | "hello" | "refused" | "put_off";
  detail: string;
}

/** The newest 200 lines of the last 7 days, oldest first. */
export interface TraceLinesResponse {
  trace_id: string;
  serial: string;
  opened_at: string;
  closes_at: string;
  lines: Array<TraceLine>;
}

/** A trace of a watch. */
export interface TraceResponse {
  trace_id: string;
  serial: string;
  opened_at: string;
  closes_at: string;
}

/** A training that a guardian of the family attended. */
export interface Training {
  training: "watch" | "migrant_parents" | "family_day" | "parenting" | "online_safety" | "refresher";
  attended_on: string;
}

/** One watch with one finding. */
export interface TriageEntry {
  serial: string;
  family_code: string | null;
  kind: "silent" | "not_arrived" | "low_battery" | "never_paired" | "sim_expiring" | "sim_over_quota" | "old_firmware" | "delivery_stuck";
  since_at: string | null;
  advice: string;
}

/** A page of findings by serial; ``next`` is the next page's ``after``. */
export interface TriageResponse {
  site_warnings: Array<SiteWarning>;
  entries: Array<TriageEntry>;
  next: string | null;
}

/** The undone hand-out. */
export interface UndoneHandOutResponse {
  serial: string;
  family_code: string;
}

/** One indicator of one week; a suppressed one has no numbers and does not state the reason. */
export interface UsageCell {
  indicator: string;
  version: number;
  suppressed: boolean;
  n: number | null;
  count: number | null;
  value: number | null;
  lower_quartile: number | null;
  upper_quartile: number | null;
  bound: "at_most" | "at_least" | null;
}

/** The state of an export; it can be downloaded while ``state`` is ready, until ``expires_at``. */
export interface UsageExportResponse {
  usage_export_id: string;
  programme_id: string;
  site_id: string | null;
  kind: FileKind;
  audience: services__core__measurement__exports__actions__Recipient;
  locale: string;
  state: "waiting" | "running" | "ready" | "expired" | "failed";
  percent: number;
  size_bytes: number;
  asked_at: string;
  expires_at: string | null;
}

/** The caller's own exports, newest first. */
export interface UsageExportsResponse {
  exports: Array<UsageExportResponse>;
}

/** A page of weeks, oldest first; ``next`` is the next page's ``first_week``. */
export interface UsageResponse {
  programme_id: string;
  site_id: string | null;
  cohort_id: string | null;
  least_families: number;
  weeks: Array<UsageWeek>;
  next: string | null;
}

/** One published week, identified by its Monday. It never changes. */
export interface UsageWeek {
  week: string;
  cells: Array<UsageCell>;
}

/** A watch of a site, and the code of its family. */
export interface WatchAtSite {
  serial: string;
  model: string;
  state: string;
  paired: boolean;
  presence: string | null;
  last_seen_at: string | null;
  battery_pct: number | null;
  firmware: string | null;
  refused_packets: number;
  on_its_way_since_at: string | null;
  family_code: string | null;
}

/** A watch of a site with its history. */
export interface WatchDetailsResponse {
  serial: string;
  model: string;
  state: string;
  paired: boolean;
  presence: string | null;
  last_seen_at: string | null;
  battery_pct: number | null;
  firmware: string | null;
  refused_packets: number;
  on_its_way_since_at: string | null;
  family_code: string | null;
  registered_at: string;
  sim_expires_on: string | null;
  hand_outs: Array<WatchHandOut>;
  withdrawals: Array<WatchWithdrawal>;
}

/** One hand-out of a watch. */
export interface WatchHandOut {
  family_code: string | null;
  given_at: string;
  undone_at: string | null;
  given_by_name: string | null;
}

/** Technical state of a watch. */
export interface WatchHealth {
  serial: string;
  model: string;
  state: string;
  paired: boolean;
  presence: string | null;
  last_seen_at: string | null;
  battery_pct: number | null;
  firmware: string | null;
  refused_packets: number;
  on_its_way_since_at: string | null;
}

/** One return, loss or defect of a watch, or its way back into stock. */
export interface WatchWithdrawal {
  what: "returned" | "lost" | "broken" | "found" | "repaired";
  at: string;
  family_code: string | null;
  replaced_by: string | null;
  by_name: string | null;
}

/** A page of watches by serial; ``next`` is the next page's ``after``. */
export interface WatchesAtSiteResponse {
  watches: Array<WatchAtSite>;
  next: string | null;
}

/** A watch that is returned, lost or broken. */
export interface WithdrawWatchRequest {
  scan: string;
  state: "returned" | "lost" | "broken";
}

/** The watch's current state; ``changed`` false: it had this state before. */
export interface WithdrawnWatchResponse {
  serial: string;
  state: string;
  changed: boolean;
}

/** An open help request of a family. */
export interface services__api__staff__schemas__sites__OpenHelp {
  help_id: string;
  kind: "broken" | "lost" | "worried";
  asked_at: string;
}

export type services__core__measurement__exports__actions__Recipient = "staff" | "factory" | "brand";

/** Each operation that a staff member may use, with who may use it. */
export interface Operations {
  /** open */
  "POST /v1/staff/auth/set-up": { path: never; query: never; body: StaffPasswordRequest; answer: StaffSetUpResponse };
  /** open */
  "POST /v1/staff/auth/set-up/confirm": { path: never; query: never; body: ConfirmSetUpRequest; answer: StaffSetUpDoneResponse };
  /** open */
  "POST /v1/staff/auth/tokens": { path: never; query: never; body: StaffLogInRequest; answer: StaffTokenResponse };
  /** open */
  "POST /v1/staff/auth/refresh": { path: never; query: never; body: StaffRefreshRequest; answer: StaffTokenResponse };
  /** staff logged in */
  "POST /v1/staff/auth/logout": { path: never; query: never; body: never; answer: undefined };
  /** staff logged in */
  "GET /v1/staff/me": { path: never; query: never; body: never; answer: StaffMeResponse };
  /** staff logged in */
  "POST /v1/staff/me/password": { path: never; query: never; body: ChangePasswordRequest; answer: undefined };
  /** staff logged in */
  "POST /v1/staff/me/recovery-codes": { path: never; query: never; body: RenewRecoveryCodesRequest; answer: RecoveryCodesResponse };
  /** staff logged in */
  "GET /v1/staff/me/sessions": { path: never; query: never; body: never; answer: StaffSessionsResponse };
  /** staff logged in */
  "DELETE /v1/staff/me/sessions/{staff_session_id}": { path: { staff_session_id: string }; query: never; body: never; answer: undefined };
  /** staff, may see structure */
  "GET /v1/staff/sites": { path: never; query: never; body: never; answer: SitesResponse };
  /** of site, may see structure */
  "GET /v1/staff/sites/{site_id}/cohorts": { path: { site_id: string }; query: never; body: never; answer: CohortsResponse };
  /** of site, may manage structure */
  "POST /v1/staff/sites/{site_id}/cohorts": { path: { site_id: string }; query: never; body: NewCohortRequest; answer: CreatedResponse };
  /** of site, may see devices */
  "GET /v1/staff/sites/{site_id}/watches": { path: { site_id: string }; query: { after?: string | null; limit?: number; state?: "registered" | "handed_out" | "lost" | "returned" | "broken" | null; query?: string }; body: never; answer: WatchesAtSiteResponse };
  /** of site, may see family codes */
  "GET /v1/staff/sites/{site_id}/families": { path: { site_id: string }; query: { after?: string | null; limit?: number; query?: string }; body: never; answer: FamiliesAtSiteResponse };
  /** of site, may see devices */
  "GET /v1/staff/sites/{site_id}/watches/{serial}": { path: { serial: string; site_id: string }; query: never; body: never; answer: WatchDetailsResponse };
  /** of site, may see family codes */
  "GET /v1/staff/sites/{site_id}/families/{family_code}": { path: { family_code: string; site_id: string }; query: never; body: never; answer: FamilyDetailsResponse };
  /** of site, may see family codes */
  "GET /v1/staff/sites/{site_id}/board": { path: { site_id: string }; query: { since?: string | null }; body: never; answer: BoardResponse };
  /** staff, may manage accounts */
  "GET /v1/staff/accounts": { path: never; query: never; body: never; answer: AccountsResponse };
  /** staff, may manage accounts */
  "POST /v1/staff/accounts": { path: never; query: never; body: NewAccountRequest; answer: AccountRequestResponse };
  /** staff, may manage accounts */
  "POST /v1/staff/accounts/{staff_id}/reset": { path: { staff_id: string }; query: never; body: ResetAccountRequest | null; answer: AccountRequestResponse };
  /** staff, may manage accounts */
  "POST /v1/staff/accounts/{staff_id}/role": { path: { staff_id: string }; query: never; body: ChangeRoleRequest; answer: AccountRequestResponse };
  /** staff, may manage accounts */
  "POST /v1/staff/accounts/{staff_id}/end": { path: { staff_id: string }; query: never; body: never; answer: undefined };
  /** staff, may approve accounts */
  "GET /v1/staff/account-requests": { path: never; query: never; body: never; answer: AccountRequestsResponse };
  /** staff, may approve accounts */
  "POST /v1/staff/account-requests/{request_id}/approve": { path: { request_id: string }; query: never; body: never; answer: AccountRequestResponse };
  /** staff, may approve accounts */
  "POST /v1/staff/account-requests/{request_id}/withdraw": { path: { request_id: string }; query: never; body: never; answer: AccountRequestResponse };
  /** of site, may recover accounts */
  "GET /v1/staff/sites/{site_id}/recoveries": { path: { site_id: string }; query: never; body: never; answer: RecoveriesResponse };
  /** of site, may recover accounts */
  "POST /v1/staff/sites/{site_id}/families/{family_code}/recoveries": { path: { family_code: string; site_id: string }; query: never; body: NewRecoveryRequest; answer: RecoveryResponse };
  /** of site, may recover accounts */
  "POST /v1/staff/sites/{site_id}/recoveries/{recovery_id}/approve": { path: { recovery_id: string; site_id: string }; query: never; body: ApproveRecoveryRequest; answer: RecoveryResponse };
  /** of site, may recover accounts */
  "POST /v1/staff/sites/{site_id}/recoveries/{recovery_id}/withdraw": { path: { recovery_id: string; site_id: string }; query: never; body: never; answer: RecoveryResponse };
  /** of site, may hand out */
  "GET /v1/staff/sites/{site_id}/hand-outs": { path: { site_id: string }; query: never; body: never; answer: HandOutsResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/hand-outs": { path: { site_id: string }; query: never; body: NewHandOutRequest; answer: OpenedHandOutResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/prolong": { path: { hand_out_id: string; site_id: string }; query: never; body: ProlongHandOutRequest; answer: HandOutResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/close": { path: { hand_out_id: string; site_id: string }; query: never; body: never; answer: HandOutResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/slips": { path: { hand_out_id: string; site_id: string }; query: never; body: PrintSlipsRequest; answer: Blob };
  /** of site, may break glass */
  "GET /v1/staff/sites/{site_id}/break-glass": { path: { site_id: string }; query: { after?: string | null; limit?: number; family_code?: string | null }; body: never; answer: BreakGlassListResponse };
  /** of site, may break glass */
  "POST /v1/staff/sites/{site_id}/families/{family_code}/break-glass": { path: { family_code: string; site_id: string }; query: never; body: NewBreakGlassRequest; answer: BreakGlassResponse };
  /** of site, may break glass */
  "POST /v1/staff/sites/{site_id}/break-glass/{break_glass_id}/approve": { path: { break_glass_id: string; site_id: string }; query: never; body: never; answer: BreakGlassResponse };
  /** of site, may break glass */
  "GET /v1/staff/sites/{site_id}/break-glass/{break_glass_id}/guardian": { path: { break_glass_id: string; site_id: string }; query: never; body: never; answer: BreakGlassGuardianResponse };
  /** of site, may settle contests */
  "GET /v1/staff/sites/{site_id}/contests": { path: { site_id: string }; query: never; body: never; answer: ContestsAtSiteResponse };
  /** of site, may settle contests */
  "POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision": { path: { contest_id: string; site_id: string }; query: never; body: NewDecisionRequest; answer: DecisionResponse };
  /** of site, may settle contests */
  "POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision/approve": { path: { contest_id: string; site_id: string }; query: never; body: ApproveDecisionRequest; answer: DecisionResponse };
  /** of site, may settle contests */
  "POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision/withdraw": { path: { contest_id: string; site_id: string }; query: never; body: never; answer: DecisionResponse };
  /** of site, may see devices */
  "GET /v1/staff/sites/{site_id}/triage": { path: { site_id: string }; query: { kind?: "silent" | "not_arrived" | "low_battery" | "never_paired" | "sim_expiring" | "sim_over_quota" | "old_firmware" | "delivery_stuck" | null; after?: string; limit?: number; locale?: "en" | "zh-Hans" | "vi" | "tr" }; body: never; answer: TriageResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/watch-hand-outs": { path: { site_id: string }; query: never; body: HandOutWatchRequest; answer: HandedOutWatchResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/watch-hand-outs/undo": { path: { site_id: string }; query: never; body: never; answer: UndoneHandOutResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/watch-hand-outs/paper": { path: { site_id: string }; query: never; body: EnterPaperRequest; answer: EnterPaperResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/watch-withdrawals": { path: { site_id: string }; query: never; body: WithdrawWatchRequest; answer: WithdrawnWatchResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/watch-replacements": { path: { site_id: string }; query: never; body: ReplaceWatchRequest; answer: WithdrawnWatchResponse };
  /** of site, may hand out */
  "GET /v1/staff/sites/{site_id}/watch-labels": { path: { site_id: string }; query: never; body: never; answer: Blob };
  /** of site, may hand out */
  "GET /v1/staff/sites/{site_id}/leaflet": { path: { site_id: string }; query: { locale?: "en" | "zh-Hans" | "vi" | "tr" | null }; body: never; answer: Blob };
  /** of site, may see family codes */
  "GET /v1/staff/sites/{site_id}/hand-out-list": { path: { site_id: string }; query: { cohort_id?: string | null; layout?: "list" | "strips" }; body: never; answer: Blob };
  /** of site, may support families */
  "POST /v1/staff/sites/{site_id}/watch-traces": { path: { site_id: string }; query: never; body: OpenTraceRequest; answer: TraceResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/watch-traces/{trace_id}": { path: { trace_id: string; site_id: string }; query: never; body: never; answer: TraceLinesResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/family-lists": { path: { site_id: string }; query: never; body: EnrolFamiliesRequest; answer: EnrolFamiliesResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/trainings": { path: { site_id: string }; query: never; body: RecordTrainingRequest; answer: RecordTrainingResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/trainings": { path: { site_id: string }; query: { after?: string | null; limit?: number }; body: never; answer: RecordedTrainingsResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/enrolments/end": { path: { site_id: string }; query: never; body: EndEnrolmentRequest; answer: undefined };
  /** of site, may support families */
  "POST /v1/staff/sites/{site_id}/contact-requests": { path: { site_id: string }; query: never; body: FamilyCodeRequest; answer: ContactFamilyResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/help": { path: { site_id: string }; query: { after?: string | null; limit?: number; kind?: "broken" | "lost" | "worried" | null }; body: never; answer: HelpCallsResponse };
  /** of site, may support families */
  "POST /v1/staff/sites/{site_id}/help/{help_id}/done": { path: { help_id: string; site_id: string }; query: never; body: never; answer: undefined };
  /** of site, may support families */
  "POST /v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices": { path: { cohort_id: string; site_id: string }; query: never; body: NewNoticeRequest; answer: SentNoticeResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices": { path: { cohort_id: string; site_id: string }; query: { limit?: number }; body: never; answer: SentNoticesResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/cohorts/{cohort_id}/prompts": { path: { cohort_id: string; site_id: string }; query: { locale?: "en" | "zh-Hans" | "vi" | "tr" }; body: never; answer: CohortPromptsResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/enrolments/ended": { path: { site_id: string }; query: { after?: string | null; limit?: number }; body: never; answer: EndedEnrolmentsResponse };
  /** of site, may register watches */
  "POST /v1/staff/sites/{site_id}/imports/watches": { path: { site_id: string }; query: { dry_run?: boolean }; body: ArrayBuffer | Blob; answer: ListImportResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/imports/families": { path: { site_id: string }; query: { dry_run?: boolean }; body: ArrayBuffer | Blob; answer: ListImportResponse };
  /** of site, may hand out */
  "POST /v1/staff/sites/{site_id}/imports/sims": { path: { site_id: string }; query: { dry_run?: boolean }; body: ArrayBuffer | Blob; answer: ListImportResponse };
  /** of site, may see family codes */
  "POST /v1/staff/sites/{site_id}/imports/trainings": { path: { site_id: string }; query: { dry_run?: boolean }; body: ArrayBuffer | Blob; answer: ListImportResponse };
  /** staff, may manage structure */
  "POST /v1/staff/programmes/{programme_id}/sites": { path: { programme_id: string }; query: never; body: NewSiteRequest; answer: CreatedResponse };
  /** of site, may see structure */
  "GET /v1/staff/sites/{site_id}/privacy-notice": { path: { site_id: string }; query: never; body: never; answer: SiteNoticeResponse };
  /** of site, may manage structure */
  "PUT /v1/staff/sites/{site_id}/privacy-notice": { path: { site_id: string }; query: never; body: SiteNotice; answer: SiteNoticeResponse };
  /** staff, may manage structure */
  "PUT /v1/staff/programmes/{programme_id}/end": { path: { programme_id: string }; query: never; body: SetProgrammeEndRequest; answer: SetProgrammeEndResponse };
  /** of site, may see survey reports */
  "GET /v1/staff/sites/{site_id}/surveys": { path: { site_id: string }; query: never; body: never; answer: SurveysResponse };
  /** of site, may see survey reports */
  "GET /v1/staff/sites/{site_id}/surveys/{survey_id}": { path: { survey_id: string; site_id: string }; query: never; body: never; answer: SurveyReportResponse };
  /** of site, may see survey reports */
  "GET /v1/staff/sites/{site_id}/surveys/{survey_id}/questions": { path: { survey_id: string; site_id: string }; query: never; body: never; answer: SurveyQuestionsResponse };
  /** of site, may support families */
  "POST /v1/staff/sites/{site_id}/surveys/{survey_id}/answers": { path: { survey_id: string; site_id: string }; query: { correct?: boolean; dry_run?: boolean }; body: ArrayBuffer | Blob; answer: ListImportResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/surveys/{survey_id}/families": { path: { survey_id: string; site_id: string }; query: { after?: string; limit?: number }; body: never; answer: SurveyPseudonymsResponse };
  /** staff, may manage structure */
  "POST /v1/staff/programmes/{programme_id}/surveys": { path: { programme_id: string }; query: never; body: NewSurveyRequest; answer: SurveyResponse };
  /** staff, may manage structure */
  "POST /v1/staff/programmes/{programme_id}/surveys/{survey_id}/publish": { path: { programme_id: string; survey_id: string }; query: { confirm?: string | null }; body: never; answer: SurveyResponse };
  /** staff, may manage structure */
  "GET /v1/staff/programmes/{programme_id}/surveys/{survey_id}": { path: { programme_id: string; survey_id: string }; query: never; body: never; answer: SurveyReportResponse };
  /** staff logged in */
  "GET /v1/staff/indicators": { path: never; query: never; body: never; answer: IndicatorsResponse };
  /** of site, may export aggregates */
  "GET /v1/staff/sites/{site_id}/usage": { path: { site_id: string }; query: { cohort_id?: string | null; indicator?: string | null; first_week?: string; last_week?: string; limit?: number }; body: never; answer: UsageResponse };
  /** staff, may export aggregates */
  "GET /v1/staff/programmes/{programme_id}/usage": { path: { programme_id: string }; query: { indicator?: string | null; first_week?: string; last_week?: string; limit?: number }; body: never; answer: UsageResponse };
  /** of site, may support families */
  "GET /v1/staff/sites/{site_id}/silent-families": { path: { site_id: string }; query: { after?: string; limit?: number }; body: never; answer: SilentFamiliesResponse };
  /** of site, may see devices */
  "GET /v1/staff/sites/{site_id}/device-states": { path: { site_id: string }; query: never; body: never; answer: DeviceStatesResponse };
  /** staff, may export aggregates */
  "POST /v1/staff/exports": { path: never; query: never; body: NewUsageExportRequest; answer: UsageExportResponse };
  /** staff, may export aggregates */
  "GET /v1/staff/exports": { path: never; query: { limit?: number }; body: never; answer: UsageExportsResponse };
  /** staff, may export aggregates */
  "GET /v1/staff/exports/{usage_export_id}": { path: { usage_export_id: string }; query: never; body: never; answer: UsageExportResponse };
  /** staff, may export aggregates */
  "GET /v1/staff/exports/{usage_export_id}/file": { path: { usage_export_id: string }; query: never; body: never; answer: string };
  /** staff, may manage structure */
  "POST /v1/staff/dhis2-imports": { path: never; query: never; body: NewDhis2ImportRequest; answer: Dhis2ImportResponse };
  /** staff, may manage structure */
  "GET /v1/staff/dhis2-imports": { path: never; query: { limit?: number }; body: never; answer: Dhis2ImportsResponse };
  /** staff, may manage structure */
  "GET /v1/staff/dhis2-imports/{import_id}": { path: { import_id: string }; query: never; body: never; answer: Dhis2ImportResponse };
}
