"""Thirty-two topics of a company's handbook in English and Korean: a passage and a question in other words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    english: str
    english_question: str
    korean: str
    korean_question: str


TOPICS = tuple(
    Topic(*lines)
    for lines in (
        (
            "Customers may return a device within 30 days of delivery and receive their money back.",
            "How long do I have to send a product back for a refund?",
            "고객은 제품을 받은 날부터 30일 안에 반품하고 대금을 돌려받을 수 있습니다.",
            "구매한 제품을 반품할 수 있는 기간은 며칠인가요?",
        ),
        (
            "Employees accrue two days of paid leave for every month that they work.",
            "How much vacation do staff earn each month?",
            "직원은 한 달 근무할 때마다 유급 휴가가 이틀씩 쌓입니다.",
            "한 달 일하면 유급 휴가가 얼마나 생기나요?",
        ),
        (
            "Passwords must have at least fourteen characters and are changed once a year.",
            "What is the minimum length of a password?",
            "비밀번호는 열네 자 이상이어야 하며 일 년에 한 번 바꿉니다.",
            "비밀번호를 몇 자 이상으로 만들어야 하나요?",
        ),
        (
            "The cafeteria on the second floor serves lunch between half past eleven and two.",
            "When can I eat in the canteen at noon?",
            "이층 구내식당은 열한 시 반부터 두 시까지 점심을 제공합니다.",
            "구내식당의 점심 시간은 언제인가요?",
        ),
        (
            "Laptops are replaced after four years, or earlier when the battery fails.",
            "After how many years do we get a new computer?",
            "노트북은 사 년이 지나면 교체하며, 배터리가 고장 나면 더 일찍 바꿉니다.",
            "노트북은 몇 년마다 새것으로 교체되나요?",
        ),
        (
            "Travel in first class is paid for journeys by train of more than five hours.",
            "Which rail trips may be booked in the first class?",
            "기차로 다섯 시간 넘게 이동하는 출장은 일등석 요금을 지원합니다.",
            "출장 때 기차 일등석을 탈 수 있는 경우는 무엇인가요?",
        ),
        (
            "Visitors sign the book at reception and wear a yellow badge inside the building.",
            "What must a guest wear in the office?",
            "방문객은 접수처에서 명부에 서명하고 건물 안에서 노란 명찰을 답니다.",
            "건물에 들어온 방문객은 무엇을 달아야 하나요?",
        ),
        (
            "In case of fire leave by the stairs and gather in the north parking lot.",
            "Where is the assembly point after an evacuation?",
            "불이 나면 계단으로 나가서 북쪽 주차장에 모입니다.",
            "화재가 났을 때 어디로 모여야 하나요?",
        ),
        (
            "Invoices from suppliers are settled within 45 days by bank transfer.",
            "How soon are vendors paid?",
            "협력사가 보낸 청구서는 45일 이내에 계좌 이체로 지급합니다.",
            "협력사 청구서 대금은 언제까지 지급하나요?",
        ),
        (
            "The data center in Busan takes over within ten minutes when Seoul goes down.",
            "How fast is the failover to the second site?",
            "서울이 멈추면 부산의 데이터 센터가 십 분 안에 업무를 이어받습니다.",
            "서울 센터에 장애가 나면 얼마 만에 부산으로 넘어가나요?",
        ),
        (
            "New parents take sixteen weeks off with full pay.",
            "What is the duration of maternity leave?",
            "아이가 태어난 부모는 급여를 모두 받으며 16주 동안 쉽니다.",
            "출산한 부모는 몇 주 동안 쉴 수 있나요?",
        ),
        (
            "Backups run every night at three and are kept for ninety days.",
            "How long are the copies of our data stored?",
            "백업은 매일 새벽 세 시에 돌고 90일 동안 보관합니다.",
            "백업 자료는 며칠 동안 보관되나요?",
        ),
        (
            "Complaints are answered by the quality team within two working days.",
            "Who responds when a customer is unhappy?",
            "불만 사항에는 품질 팀이 영업일 이틀 안에 답합니다.",
            "고객의 불만에는 어느 부서가 답하나요?",
        ),
        (
            "The warranty of the coffee machine covers the pump for three years.",
            "Is a broken pump of the espresso maker repaired for free?",
            "커피 기계의 보증은 펌프에 대해 삼 년 동안 유효합니다.",
            "커피 기계 펌프의 보증은 몇 년인가요?",
        ),
        (
            "Parking spaces in the basement are drawn by lot every January.",
            "How do I get a place for my car?",
            "지하 주차 자리는 해마다 일월에 추첨으로 정합니다.",
            "지하 주차장 자리는 어떻게 정해지나요?",
        ),
        (
            "Contracts above one million won need the signature of two directors.",
            "Who has to approve a large agreement?",
            "백만 원이 넘는 계약에는 이사 두 명의 서명이 필요합니다.",
            "백만 원 넘는 계약에 누구의 서명이 필요한가요?",
        ),
        (
            "The help desk is reached under extension 7700 from eight in the morning.",
            "What number do I dial for technical support?",
            "전산 상담은 아침 여덟 시부터 내선 7700번으로 받습니다.",
            "전산 상담을 받으려면 몇 번으로 전화하나요?",
        ),
        (
            "Personal data of applicants is erased six months after a rejection.",
            "When are the files of unsuccessful candidates deleted?",
            "지원자의 개인 정보는 불합격 통보 후 여섯 달이 지나면 지웁니다.",
            "불합격한 지원자의 개인 정보는 언제 삭제되나요?",
        ),
        (
            "The gym is open to all colleagues and costs nothing before nine.",
            "What is the price of working out early in the day?",
            "체육관은 모든 동료에게 열려 있고 아홉 시 전에는 무료입니다.",
            "체육관을 무료로 쓰려면 몇 시 전에 가야 하나요?",
        ),
        (
            "Chemicals are stored in the red cabinet next to the laboratory sink.",
            "Where do hazardous substances belong?",
            "화학 약품은 실험실 싱크대 옆 빨간 수납장에 보관합니다.",
            "화학 약품을 보관하는 곳은 어디인가요?",
        ),
        (
            "Overtime on Sundays is compensated with one and a half times the hourly wage.",
            "How much is paid for work at the weekend?",
            "일요일에 한 초과 근무는 시급의 한 배 반으로 보상합니다.",
            "일요일 초과 근무 수당은 얼마인가요?",
        ),
        (
            "The elevator is inspected in March and September by an outside company.",
            "In which months is the lift checked?",
            "승강기는 삼월과 구월에 외부 업체가 점검합니다.",
            "승강기 점검은 몇 월에 하나요?",
        ),
        (
            "Subscriptions renew by themselves unless they are cancelled one week ahead.",
            "How do I stop my plan from being extended?",
            "구독은 일주일 전에 해지하지 않으면 자동으로 연장됩니다.",
            "구독이 자동으로 연장되지 않게 하려면 언제 해지해야 하나요?",
        ),
        (
            "Water samples from the roof tank are tested for bacteria each quarter.",
            "How often is the drinking water examined?",
            "옥상 물탱크의 물은 분기마다 세균 검사를 합니다.",
            "물탱크의 세균 검사는 얼마나 자주 하나요?",
        ),
        (
            "Interns are paid the minimum wage plus a monthly ticket for the subway.",
            "Do trainees get their commute reimbursed?",
            "인턴은 최저 임금에 더해 지하철 정기권을 매달 받습니다.",
            "인턴에게 교통비로 무엇을 주나요?",
        ),
        (
            "The library lends each book for three weeks and charges nothing for delays.",
            "Is there a fine for returning a novel late?",
            "도서실은 책을 삼 주 동안 빌려주며 늦어도 연체료를 받지 않습니다.",
            "도서실 책을 늦게 반납하면 연체료가 있나요?",
        ),
        (
            "Orders over fifty thousand won are shipped free of charge.",
            "From what amount is there no delivery fee?",
            "오만 원이 넘는 주문은 배송비를 받지 않습니다.",
            "얼마 이상 주문하면 배송비가 무료인가요?",
        ),
        (
            "The board meets on the first Tuesday of the month in the glass room.",
            "Where do the directors come together?",
            "이사회는 매달 첫 화요일에 유리 회의실에서 열립니다.",
            "이사회가 열리는 장소는 어디인가요?",
        ),
        (
            "Photos of products may be used by partners when the source is named.",
            "Can a reseller publish our pictures?",
            "제품 사진은 출처를 밝히면 제휴사가 사용해도 됩니다.",
            "제휴사가 제품 사진을 쓰려면 어떻게 해야 하나요?",
        ),
        (
            "Remote work is possible on three days a week after the trial period.",
            "How often may I work from home?",
            "수습이 끝나면 일주일에 사흘까지 재택근무를 할 수 있습니다.",
            "재택근무는 일주일에 며칠까지 가능한가요?",
        ),
        (
            "The alarm is armed by whoever leaves last, with the code of the month.",
            "Who switches on the burglar protection in the evening?",
            "경보 장치는 마지막에 나가는 사람이 이달의 번호로 켭니다.",
            "경보 장치는 누가 켜야 하나요?",
        ),
        (
            "Old batteries are collected in the green box beside the printer.",
            "Where can used cells be thrown away?",
            "다 쓴 건전지는 프린터 옆 초록 상자에 모읍니다.",
            "다 쓴 건전지는 어디에 버리나요?",
        ),
    )
)
