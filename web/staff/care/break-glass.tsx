// A parent's name and number for a child's safety: two people, one hour, every look recorded.
import { useEffect, useState } from "preact/hooks";
import { ask, Button, clockTime, Field, Form, Loaded, me, Pager, Problem, Send, serverNow, shortDate, site, t, Table, TextArea, useActing, useAsked, useBusy, usePages } from "../kit.ts";
import type { BreakGlassGuardianResponse, BreakGlassResponse } from "../api-types.ts";

export function BreakGlass() {
  const path = { site_id: site.value?.site_id ?? "" };
  const pages = usePages<string>();
  const asked = useAsked("GET /v1/staff/sites/{site_id}/break-glass", { path, query: { limit: 50, ...(pages.after ? { after: pages.after } : {}) } });
  const [isNew, setNew] = useState(false);
  const { isBusy, problem, act } = useActing(asked.reload);
  const approve = (break_glass_id: string): Promise<boolean> => act(() => ask("POST /v1/staff/sites/{site_id}/break-glass/{break_glass_id}/approve", { path: { ...path, break_glass_id } }));
  return (
    <section class="stack">
      <div class="head">
        <h2>{t("care.break_glass")}</h2>
        <Button onClick={() => setNew(!isNew)}>{t("care.new_break_glass")}</Button>
      </div>
      <p class="soft">{t("care.break_glass_about")}</p>
      {isNew && <NewCase onAsked={async () => { setNew(false); await asked.reload(); }} />}
      {problem && <Problem>{problem}</Problem>}
      <Loaded asked={asked} isEmpty={(answer) => answer.break_glass.length === 0} empty={t("care.break_glass_empty")}>
        {(answer) => (
          <>
            <Table
              caption={t("care.break_glass")} rows={answer.break_glass} keyOf={(one) => one.break_glass_id} testId="break-glass"
              columns={[
                { title: t("families.code"), cell: (one) => one.family_code },
                { title: t("care.reason"), cell: (one) => one.reason },
                { title: t("care.by"), cell: (one) => [one.asked_by_name, one.approved_by_name, one.delay_approved_by_name].filter(Boolean).join(", ") },
                { title: t("care.asked_at"), cell: (one) => shortDate(one.asked_at) },
                { title: t("care.state"), cell: (one) => <State one={one} isBusy={isBusy} onApprove={() => void approve(one.break_glass_id)} /> },
              ]}
            />
            <Pager pages={pages} next={answer.next} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function State({ one, isBusy, onApprove }: { one: BreakGlassResponse; isBusy: boolean; onApprove: () => void }) {
  const isOwn = one.asked_by === me.value?.staff_id;
  if (!one.opened_at) {
    return (
      <div class="stack">
        <span>{t("care.waits_second")}</span>
        {isOwn ? <span class="soft">{t("care.own")}</span> : <span><Button kind="act" busy={isBusy} onClick={onApprove}>{t("care.approve")}</Button></span>}
      </div>
    );
  }
  const isOver = !one.closes_at || Date.parse(one.closes_at) <= serverNow();
  if (isOver) return <span>{t("care.over")}</span>;
  return (
    <div class="stack">
      <span>{t("care.looks_until", { at: clockTime(one.closes_at ?? "", site.value?.timezone) })}</span>
      {isOwn && <Guardian break_glass_id={one.break_glass_id} closes_at={one.closes_at ?? ""} />}
    </div>
  );
}

/** Shown while somebody looks at the page: it is hidden when the page loses the focus, and forgotten when time is up. */
function Guardian({ break_glass_id, closes_at }: { break_glass_id: string; closes_at: string }) {
  const [shown, setShown] = useState<BreakGlassGuardianResponse | null>(null);
  const [isHidden, setHidden] = useState(false);
  const { isBusy, problem, run } = useBusy();
  useEffect(() => {
    if (!shown) return undefined;
    const hide = (): void => setHidden(true);
    const onVisibility = (): void => { if (document.visibilityState === "hidden") hide(); };
    const timer = setTimeout(() => setShown(null), Math.max(0, Date.parse(closes_at) - serverNow()));
    addEventListener("blur", hide);
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      clearTimeout(timer);
      removeEventListener("blur", hide);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [shown, closes_at]);
  const look = (): Promise<void> => run(async () => {
    setShown(await ask("GET /v1/staff/sites/{site_id}/break-glass/{break_glass_id}/guardian", { path: { site_id: site.value?.site_id ?? "", break_glass_id } }));
    setHidden(false);
  });
  if (!shown) {
    return (
      <>
        {problem && <Problem>{problem}</Problem>}
        <span><Button icon="eye" busy={isBusy} testId="look" onClick={() => void look()}>{t("care.look")}</Button></span>
      </>
    );
  }
  // Nothing of it is in the page while it is hidden.
  if (isHidden) return <span><Button icon="eye" testId="hidden" onClick={() => setHidden(false)}>{t("care.hidden")}</Button></span>;
  return (
    <div class="banner bad" data-testid="guardian">
      <div><b>{shown.name}</b><br />{shown.phone}</div>
      <Button onClick={() => setShown(null)}>{t("care.hide")}</Button>
    </div>
  );
}

function NewCase({ onAsked }: { onAsked: () => Promise<void> }) {
  const [family_code, setFamily] = useState("");
  const [reason, setReason] = useState("");
  const [days, setDays] = useState("0");
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    await ask("POST /v1/staff/sites/{site_id}/families/{family_code}/break-glass", { path: { site_id: site.value?.site_id ?? "", family_code: family_code.trim().toUpperCase() }, body: { reason, tell_after_days: Number(days) || 0 } });
    await onAsked();
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <Field label={t("care.family")} value={family_code} maxLength={20} onInput={setFamily} />
        <TextArea label={t("care.reason")} hint={t("care.reason_hint")} value={reason} maxLength={500} onInput={setReason} />
        <Field label={t("care.tell_after")} hint={t("care.tell_after_hint")} inputMode="numeric" maxLength={2} value={days} onInput={setDays} />
        {problem && <Problem>{problem}</Problem>}
        <div class="choices start"><Send busy={isBusy} disabled={!family_code || !reason.trim()}>{t("care.new_break_glass")}</Send></div>
      </Form>
    </section>
  );
}
