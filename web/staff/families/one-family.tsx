// One family by its code, and what staff may do for it.
import { useState } from "preact/hooks";
import { about, ago, ask, Banner, Button, Confirm, Facts, Field, Form, go, Head, type Key, Loaded, may, Pick, Problem, Send, shortDate, site, t, useAsked, useBusy } from "../kit.ts";
import type { FamilyDetailsResponse } from "../api-types.ts";

const TRAININGS = ["watch", "migrant_parents", "family_day", "parenting", "online_safety", "refresher"] as const;
const REASONS = ["left_factory", "moved_away", "watch_returned", "declined", "child_grown", "other"] as const;

export function OneFamily({ code, onClose }: { code: string; onClose: () => void }) {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/families/{family_code}", { path: { site_id: site.value?.site_id ?? "", family_code: code } });
  const close = (): void => {
    about.value = "";
    onClose();
  };
  return (
    <>
      <Head title={`${t("families.code")} ${code}`}>
        <Button icon="back" onClick={close}>{t("action.back")}</Button>
      </Head>
      <Loaded asked={asked}>{(family) => <Details family={family} reload={asked.reload} onClose={close} />}</Loaded>
    </>
  );
}

function Details({ family, reload, onClose }: { family: FamilyDetailsResponse; reload: () => Promise<void>; onClose: () => void }) {
  return (
    <>
      {family.no_working_channel !== null && (
        <Banner kind={family.no_working_channel ? "bad" : "good"} icon="phone">{t(family.no_working_channel ? "families.no_channel" : "families.channel")}</Banner>
      )}
      <Facts of={[
        [t("families.cohort"), family.cohort],
        [t("families.enrolled"), shortDate(family.enrolled_at)],
        [t("families.joined"), t(family.has_logged_in ? "desk.yes" : "desk.no")],
        [t("families.watch"), family.watches.map((one) => (
          <span key={one.serial}>
            <button type="button" class="small" onClick={() => go("watches", one.serial)}>{one.serial}</button> {t(one.paired ? "watch_state.paired" : (`watch_state.${one.state}` as Key))}
            {one.last_seen_at && ` (${ago(one.last_seen_at)})`}
          </span>
        ))],
        ...(family.open_help?.length ? [[t("families.help"), family.open_help.map((one) => `${t(`help_kind.${one.kind}` as Key)} ${ago(one.asked_at)}`).join(" ")] as const] : []),
        ...(family.trainings?.length ? [[t("families.trainings"), family.trainings.map((one) => `${t(`training.${one.training}` as Key)} (${shortDate(one.attended_on)})`).join(", ")] as const] : []),
      ]} />
      {may("support families") && <Contact code={family.family_code} />}
      <Train code={family.family_code} onNoted={reload} />
      <End code={family.family_code} onEnded={onClose} />
    </>
  );
}

function Contact({ code }: { code: string }) {
  const { isBusy, problem, run } = useBusy();
  const [told, setTold] = useState("");
  const send = (): Promise<void> => run(async () => {
    const { asked_now } = await ask("POST /v1/staff/sites/{site_id}/contact-requests", { path: { site_id: site.value?.site_id ?? "" }, body: { family_code: code } });
    setTold(t(asked_now ? "families.contacted" : "families.contacted_before"));
  });
  return (
    <div class="choices start">
      <Button icon="phone" busy={isBusy} onClick={() => void send()}>{t("families.contact")}</Button>
      {problem && <Problem>{problem}</Problem>}
      <p class="good" role="status">{told}</p>
    </div>
  );
}

function Train({ code, onNoted }: { code: string; onNoted: () => Promise<void> }) {
  const { isBusy, problem, run } = useBusy();
  const [training, setTraining] = useState<(typeof TRAININGS)[number]>("watch");
  const [on, setOn] = useState(new Date().toISOString().slice(0, 10));
  const [told, setTold] = useState("");
  const send = (): Promise<void> => run(async () => {
    const { is_new } = await ask("POST /v1/staff/sites/{site_id}/trainings", { path: { site_id: site.value?.site_id ?? "" }, body: { family_code: code, training, attended_on: on } });
    setTold(t(is_new ? "families.noted" : "families.noted_before"));
    await onNoted();
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <h2>{t("families.train")}</h2>
        <Pick label={t("families.training")} value={training} onPick={(value) => setTraining(value as (typeof TRAININGS)[number])} options={TRAININGS.map((one) => [one, t(`training.${one}` as Key)])} />
        <Field label={t("families.on")} type="date" value={on} onInput={setOn} />
        {problem && <Problem>{problem}</Problem>}
        <p class="good" role="status">{told}</p>
        <div class="choices start"><Send busy={isBusy} disabled={!on}>{t("watches.record")}</Send></div>
      </Form>
    </section>
  );
}

function End({ code, onEnded }: { code: string; onEnded: () => void }) {
  const { isBusy, problem, run } = useBusy();
  const [reason, setReason] = useState<(typeof REASONS)[number]>("left_factory");
  const [isAsking, setAsking] = useState(false);
  const send = (): Promise<void> => run(async () => {
    await ask("POST /v1/staff/sites/{site_id}/enrolments/end", { path: { site_id: site.value?.site_id ?? "" }, body: { family_code: code, reason } });
    onEnded();
  });
  return (
    <div class="choices start">
      <Button kind="bad" onClick={() => setAsking(true)}>{t("families.end")}</Button>
      {isAsking && (
        <Confirm title={`${t("families.end")}: ${code}`} yes={t("families.end")} busy={isBusy} onYes={() => void send()} onNo={() => setAsking(false)}>
          <p>{t("families.end_about")}</p>
          <Pick label={t("families.reason")} value={reason} onPick={(value) => setReason(value as (typeof REASONS)[number])} options={REASONS.map((one) => [one, t(`end_reason.${one}` as Key)])} />
          {problem && <Problem>{problem}</Problem>}
        </Confirm>
      )}
    </div>
  );
}
