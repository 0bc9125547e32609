// Pairs that were written on paper: checked first, then taken all together at the paper's time.
import { useEffect, useState } from "preact/hooks";
import type { EnterPaperResponse } from "../api-types.ts";
import { ask, Banner, Button, dayTime, Field, Head, instantOf, problemSentence, Problem, site, t, Table, TextArea, useBusy } from "../kit.ts";
import { codes, readBoard } from "./board.ts";
import { unconfirmed } from "./pairs.ts";
import { readPaper } from "./scan.ts";

type Fault = { line: number; sentence: string };

export function Paper({ onDone }: { onDone: () => void }) {
  const zone = site.value?.timezone ?? "UTC";
  const path = { site_id: site.value?.site_id ?? "" };
  const [text, setText] = useState(unconfirmed.value.map((one) => `${one.serial} ${one.family}`).join("\n"));
  const [day, setDay] = useState(dayTime(new Date(), zone).day);
  const [time, setTime] = useState(dayTime(new Date(), zone).time);
  const [tried, setTried] = useState<EnterPaperResponse | null>(null);
  const [done, setDone] = useState<EnterPaperResponse | null>(null);
  const { isBusy, problem, run } = useBusy();
  useEffect(() => void readBoard(path.site_id).catch(() => undefined), []);
  const lines = readPaper(text, codes.value);
  const pairs = lines.flatMap((one) => (one.pair ? [one.pair] : []));
  const lineOf = lines.filter((one) => one.pair);
  const faults: Fault[] = [
    ...lines.filter((one) => !one.pair).map((one) => ({ line: one.line, sentence: t("paper.no_pair") })),
    ...(tried?.faults ?? []).map((fault) => ({
      line: lineOf[fault.row - 1]?.line ?? fault.row,
      sentence: fault.family_code ? t("handout.elsewhere", { family: fault.family_code }) : problemSentence(fault.code),
    })),
  ].sort((a, b) => a.line - b.line);
  const change = (set: (value: string) => void) => (value: string): void => {
    set(value);
    setTried(null);
  };
  const send = (dry_run: boolean): Promise<void> =>
    run(async () => {
      const body = { pairs, given_at: instantOf(day, time, zone), dry_run };
      const answer = await ask("POST /v1/staff/sites/{site_id}/watch-hand-outs/paper", { path, body });
      if (dry_run || !answer.taken) return setTried(answer);
      unconfirmed.value = [];
      setDone(answer);
    });
  if (done) {
    return (
      <>
        <Head title={t("paper.title")} />
        <Banner kind="good" icon="good">{t("paper.done", { n: done.handed_out, had: done.unchanged })}</Banner>
        <Button kind="act" onClick={onDone} testId="paper-back">{t("paper.back")}</Button>
      </>
    );
  }
  const isClean = tried !== null && faults.length === 0;
  return (
    <>
      <Head title={t("paper.title")}>
        <Button kind="quiet" icon="back" onClick={onDone}>{t("action.back")}</Button>
      </Head>
      <TextArea label={t("paper.pairs")} hint={t("paper.pairs_hint")} value={text} onInput={change(setText)} rows={10} />
      <div class="choices narrow">
        <Field label={t("paper.day")} value={day} onInput={change(setDay)} type="date" />
        <Field label={t("paper.time")} hint={t("paper.time_hint")} value={time} onInput={change(setTime)} type="time" />
      </div>
      {problem && <Problem>{problem}</Problem>}
      {faults.length > 0 && (
        <>
          <Problem>{t("paper.faults", { n: faults.length })}</Problem>
          <Table caption={t("paper.faults_table")} rows={faults} keyOf={(one) => `${one.line}${one.sentence}`} testId="faults" columns={[
            { title: t("paper.line"), cell: (one) => one.line, isNumber: true },
            { title: t("paper.fault"), cell: (one) => one.sentence },
          ]} />
        </>
      )}
      {isClean && tried && <Banner kind="good" icon="good">{t("paper.tried", { n: tried.handed_out, had: tried.unchanged })}</Banner>}
      <div class="choices narrow">
        <Button kind={isClean ? "plain" : "act"} busy={isBusy} disabled={pairs.length === 0} onClick={() => void send(true)} testId="try-paper">{t("paper.try")}</Button>
        <Button kind={isClean ? "act" : "plain"} busy={isBusy} disabled={!isClean} onClick={() => void send(false)} testId="take-paper">{t("paper.take", { n: pairs.length })}</Button>
      </div>
    </>
  );
}
